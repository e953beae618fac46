//! What scenarios share: starting the appliance and its peers, and stopping them by process id.
