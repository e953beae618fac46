//! A phone registers, with a digest of MD5 (RFC 2617 §3.2.2).

use std::net::UdpSocket;

use md5::{Digest, Md5};

use super::header;

/// Registers `extension` at the socket's address for an hour. Panics when the registrar refuses.
pub fn register(socket: &UdpSocket, sip_port: u16, extension: &str, secret: &str) {
    let challenge = ask(socket, sip_port, &request(socket, sip_port, extension, 1, ""));
    let given = header(&challenge, "WWW-Authenticate").unwrap_or_else(|| panic!("no challenge: {challenge}"));
    let (realm, nonce) = (parameter(given, "realm"), parameter(given, "nonce"));
    let uri = format!("sip:127.0.0.1:{sip_port}");
    let account = md5(&format!("{extension}:{realm}:{secret}"));
    let response = md5(&format!("{account}:{nonce}:00000001:c:auth:{}", md5(&format!("REGISTER:{uri}"))));
    let credentials = format!(
        "Authorization: Digest username=\"{extension}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, \
         nc=00000001, cnonce=\"c\", algorithm=MD5, response=\"{response}\"\r\n"
    );
    let answer = ask(socket, sip_port, &request(socket, sip_port, extension, 2, &credentials));
    assert!(answer.starts_with("SIP/2.0 200"), "{extension} is not registered: {answer}");
}

fn request(socket: &UdpSocket, sip_port: u16, extension: &str, sequence: u32, more: &str) -> String {
    let here = socket.local_addr().expect("bound");
    format!(
        "REGISTER sip:127.0.0.1:{sip_port} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bKr{extension}x{sequence}\r\n\
         From: <sip:{extension}@127.0.0.1>;tag=r\r\nTo: <sip:{extension}@127.0.0.1>\r\nCall-ID: register{extension}\r\n\
         CSeq: {sequence} REGISTER\r\nContact: <sip:{extension}@{here}>\r\nExpires: 3600\r\nMax-Forwards: 70\r\n{more}\
         Content-Length: 0\r\n\r\n"
    )
}

fn ask(socket: &UdpSocket, sip_port: u16, request: &str) -> String {
    let mut buffer = vec![0; 65_536];
    socket.send_to(request.as_bytes(), ("127.0.0.1", sip_port)).expect("sent");
    loop {
        let length = socket.recv(&mut buffer).expect("the registrar answers");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if !text.starts_with("SIP/2.0 1") {
            return text;
        }
    }
}

fn parameter<'a>(challenge: &'a str, name: &str) -> &'a str {
    let rest = challenge.split_once(&format!("{name}=\"")).map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("no {name} in {challenge}"))
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect()
}
