//! What a trace must not show: SRTP keys (RFC 4568 §6.1), the answer to a digest challenge, keys that were pressed (RFC 6086).
//!
//! Each hidden octet becomes an `x`, so that lengths stay true and the message can still be parsed.

/// Hides what must not be seen.
pub(super) fn hide(message: &mut [u8]) {
    let info = message.starts_with(b"INFO ");
    let mut body = false;
    let mut from = 0;
    while from < message.len() {
        let rest = message.get(from..).unwrap_or_default();
        let len = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |end| end + 1);
        let Some(line) = message.get_mut(from..from + len) else { return };
        match (body, line) {
            (false, [b'\r', b'\n'] | [b'\n']) => body = true,
            (false, line) => hide_response(line),
            (true, line) => {
                if let Some(at) = position(line, b"inline:") {
                    blot(line, at + b"inline:".len(), |b| b.is_ascii_whitespace());
                }
                if info {
                    hide_digit(line);
                }
            }
        }
        from += len;
    }
}

/// `response="…"` of `Authorization` and `Proxy-Authorization`, also in a line that continues one.
fn hide_response(line: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|rest| position(rest, b"response=\"")) {
        let value = from + at + b"response=\"".len();
        blot(line, value, |b| b == b'"');
        from = value;
    }
}

/// `Signal=5`, or a body that is the digit alone.
fn hide_digit(line: &mut [u8]) {
    let at = match line.iter().position(|b| *b == b'=') {
        Some(at) if line.get(..at).is_some_and(|n| n.trim_ascii().eq_ignore_ascii_case(b"signal")) => at + 1,
        Some(_) => return,
        None => 0,
    };
    for byte in line.iter_mut().skip(at).filter(|b| !b.is_ascii_whitespace()) {
        *byte = b'x';
    }
}

fn blot(line: &mut [u8], from: usize, ends: impl Fn(u8) -> bool) {
    for byte in line.iter_mut().skip(from).take_while(|b| !ends(**b)) {
        *byte = b'x';
    }
}

fn position(line: &[u8], wanted: &[u8]) -> Option<usize> {
    line.windows(wanted.len()).position(|w| w.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        hide(&mut bytes);
        assert_eq!(bytes.len(), text.len());
        String::from_utf8(bytes).unwrap()
    }

    /// SIP-08: a trace that is sent around gives away neither media nor passwords nor card numbers.
    #[test]
    fn secrets_are_blotted_out_and_nothing_else_is() {
        let invite = "INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest username=\"u\", response=\"0123abcd\", qop=auth\r\n\r\n\
             a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZi|2^20 KDR=1\r\na=rtpmap:0 PCMU/8000\r\n";
        let expected = "INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest username=\"u\", response=\"xxxxxxxx\", qop=auth\r\n\r\n\
             a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxxxxxxxxxxxxxxxxxxxxxxx KDR=1\r\na=rtpmap:0 PCMU/8000\r\n";
        assert_eq!(hidden(invite), expected);
        let info = "INFO sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\nSignal= 5\r\nDuration=160\r\n";
        assert_eq!(hidden(info), "INFO sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\nSignal= x\r\nDuration=160\r\n");
        assert_eq!(hidden("INFO sip:a@b SIP/2.0\r\n\r\n5"), "INFO sip:a@b SIP/2.0\r\n\r\nx");
        assert_eq!(
            hidden("BYE sip:5@b SIP/2.0\r\nCSeq: 5 BYE\r\n\r\n"),
            "BYE sip:5@b SIP/2.0\r\nCSeq: 5 BYE\r\n\r\n"
        );
        assert_eq!(hidden("x response=\""), "x response=\"");
    }
}
