//! Customers in self-service: real SIP callers hear the operator's prompts and press keys.

mod before_agent;
mod survey;
mod transfer;
mod voicemail;
