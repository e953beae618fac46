//! The floor: skills, queues, agents and offers as one pure state machine.
