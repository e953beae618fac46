//! A file, or a range of it (RFC 9110 §14): what players need to jump in a recording.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::recording::{Audio, AudioFormat};

use crate::problem::ApiError;

/// Octets read at a time.
const CHUNK: usize = 64 * 1024;

/// Audio to be played or kept under a name of its own, as `Range` asks for it. No cache keeps it.
pub fn attach_audio(audio: Arc<dyn Audio>, asked: &HeaderMap, name: &str, format: AudioFormat) -> Response {
    let mut response = send_audio(audio, asked);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let name = format!("attachment; filename=\"{name}.{}\"", format.ending());
    insert(headers, header::CONTENT_DISPOSITION, name);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// The octets, as `Range` asks for them. One range only; several are answered with everything, as the RFC allows.
fn send_audio(audio: Arc<dyn Audio>, headers: &HeaderMap) -> Response {
    let length = audio.len();
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (status, first, last) = match range.map(|text| parse_range(text, length)) {
        None | Some(Wanted::Everything) => (StatusCode::OK, 0, length.saturating_sub(1)),
        Some(Wanted::Part(first, last)) => (StatusCode::PARTIAL_CONTENT, first, last),
        Some(Wanted::Nothing) => {
            let mut response = ApiError::Http("bad-range").into_response();
            insert(response.headers_mut(), header::CONTENT_RANGE, format!("bytes */{length}"));
            return response;
        }
    };
    let count = if length == 0 { 0 } else { last - first + 1 };
    let mut response = (status, Body::from_stream(stream(audio, first, count))).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, count.into());
    if status == StatusCode::PARTIAL_CONTENT {
        insert(headers, header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}"));
    }
    response
}

/// Piece by piece: an hour of audio is never in memory. A piece is read, and decrypted if need be, beside the runtime.
fn stream(
    audio: Arc<dyn Audio>,
    first: u64,
    count: u64,
) -> impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> {
    futures_util::stream::try_unfold((audio, first, count), |(audio, at, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
        let reader = audio.clone();
        let read = tokio::task::spawn_blocking(move || reader.read_at(at, most)).await;
        let piece = read.map_err(std::io::Error::other).flatten().inspect_err(|error| {
            tracing::error!(%error, "a recording could not be read");
        })?;
        if piece.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let n = piece.len() as u64;
        Ok(Some((piece, (audio, at + n, left.saturating_sub(n)))))
    })
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::from_str(&value) {
        headers.insert(name, value);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Everything,
    /// First and last octet.
    Part(u64, u64),
    /// A range outside of the file.
    Nothing,
}

/// Reads a `Range` header against the length of the file. What is not understood is as if it were not there.
fn parse_range(text: &str, length: u64) -> Wanted {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|ranges| ranges.split_once('-')) else {
        return Wanted::Everything;
    };
    match (first.trim(), last.trim()) {
        ("", suffix) => match suffix.parse::<u64>() {
            Ok(0) => Wanted::Nothing,
            Ok(_) if length == 0 => Wanted::Nothing,
            Ok(suffix) => Wanted::Part(length.saturating_sub(suffix), length - 1),
            Err(_) => Wanted::Everything,
        },
        (first, last) => match (first.parse::<u64>(), last) {
            (Ok(first), _) if first >= length => Wanted::Nothing,
            (Ok(first), "") => Wanted::Part(first, length - 1),
            (Ok(first), last) => match last.parse::<u64>() {
                Ok(last) if last >= first => Wanted::Part(first, last.min(length - 1)),
                _ => Wanted::Everything,
            },
            (Err(_), _) => Wanted::Everything,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_has_them() {
        for (text, wanted) in [
            ("bytes=0-0", Wanted::Part(0, 0)),
            ("bytes=10-", Wanted::Part(10, 99)),
            ("bytes=-5", Wanted::Part(95, 99)),
            ("bytes=-500", Wanted::Part(0, 99)),
            ("bytes=90-500", Wanted::Part(90, 99)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-4", Wanted::Everything),
            ("bytes=0-1,5-6", Wanted::Everything),
            ("lines=1-2", Wanted::Everything),
            ("bytes=99999999999999999999-", Wanted::Everything),
        ] {
            assert_eq!(parse_range(text, 100), wanted, "{text}");
        }
        assert_eq!(parse_range("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(parse_range("bytes=-1", 0), Wanted::Nothing);
    }
}
