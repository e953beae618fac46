//! A system of the operator whose answers the test gives.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use flow::{Reply, Request};

use crate::systems::{Askable, Systems};

/// Answers `https://crm.example` and knows the secret `crm`.
#[derive(Default)]
pub struct FakeSystems {
    /// Status and body of the next answers. Without one it never answers.
    pub answers: Mutex<VecDeque<(u16, &'static str)>>,
    /// What was asked.
    pub asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Systems for FakeSystems {
    fn askable(&self) -> Askable {
        Askable { hosts: vec!["crm.example:443".into()], secrets: vec!["crm".into()] }
    }
    async fn ask(&self, request: &Request) -> Reply {
        self.asked.lock().unwrap().push(request.url());
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            Some((status, body)) => request.read(status, body.as_bytes()),
            None => std::future::pending().await,
        }
    }
}
