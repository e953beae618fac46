//! The agents' phones: SIP phones that register, softphones in the console's page.

pub mod softphone;

mod register;
pub(crate) mod softphone_task;
