//! A system of the operator: a web server of the test's own.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Answers on 127.0.0.1: `/slow` never, everything else as the test says.
pub struct Web {
    /// Its port.
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// Starts one that answers with this JSON.
    pub async fn answering(json: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let kept = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, kept.clone(), json));
            }
        });
        Self { port, asked }
    }

    /// The requests so far, each as it came.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, json: &str) {
    let (mut read, mut buffer) = (Vec::new(), [0; 4_096]);
    while !read.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
    let request = String::from_utf8_lossy(&read).into_owned();
    let is_slow = request.starts_with("GET /slow");
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    if is_slow {
        // Until whoever asks gives up.
        while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
        return;
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let text = format!("{head}content-length: {}\r\n\r\n{json}", json.len());
    // Whoever asked may have gone.
    let _ = stream.write_all(text.as_bytes()).await;
}
