use proptest::prelude::*;

use super::*;
use crate::request::Options;

const ANNA: &str = "v=0\r\no=anna 1 1 IN IP4 192.0.2.5\r\ns=call\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8 96\r\n\
    i=title\r\nb=AS:64\r\na=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=maxptime:40\r\na=sendonly\r\n";

#[test]
fn a_medium_is_read_with_its_formats_and_everything_else_kept() {
    let sdp = Sdp::read(ANNA.as_bytes()).unwrap();
    let audio = &sdp.media[0];
    assert_eq!(audio.rtp_to(), Some("192.0.2.5:5000".parse().unwrap()));
    assert_eq!(
        (audio.direction(), audio.head.len(), audio.others.as_slice()),
        (Way::SendOnly, 2, &["a=maxptime:40".to_owned()][..])
    );
    assert_eq!(audio.formats[1].codec(), Some(model::media::Codec::Opus), "names are not case-sensitive");
    assert_eq!(audio.formats[1].lines, ["a=fmtp:96 useinbandfec=1"]);
}

#[test]
fn what_is_no_description_is_refused() {
    for text in [
        "",
        "hello",
        "v=0\r\n",
        "v=0\r\no=x\r\n",
        &ANNA.replace("c=IN IP4 192.0.2.5\r\n", ""),
        &ANNA.replace(" 5000 ", " port "),
        &ANNA.replace("8 96", "8 999"),
        &format!("{ANNA}{}", "m=audio 1 RTP/AVP 0\r\n".repeat(MEDIA_MAX)),
    ] {
        assert_eq!(Sdp::read(text.as_bytes()), Err(BadSdp), "{text}");
    }
}

#[test]
fn refused_media_only_are_written_back_as_they_came() {
    let text = "v=0\r\no=a 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\na=x\r\nm=audio 0 RTP/AVP 8\r\n";
    let sdp = Sdp::read(text.as_bytes()).unwrap();
    let options = Options::default();
    let rewrite = Rewrite { options: &options, media: vec![MediumOut::Refused], loop_mark: None };
    assert_eq!(write(&sdp, &rewrite), text.as_bytes());
}

#[test]
fn keys_are_read_with_lifetime_and_refused_with_an_mki() {
    let key = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
    let read = |rest: &str| Crypto::read(&format!("1 AES_CM_128_HMAC_SHA1_80 {key}{rest}"));
    assert!(read("|2^31").is_some());
    assert_eq!(read("|2^31|1:4"), None);
    assert_eq!(read(" UNENCRYPTED_SRTP"), None);
    assert_eq!(Crypto::read("1 AES_CM_128_HMAC_SHA1_80 inline:short"), None);
    assert_eq!(read("").unwrap().line(), format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {key}"));
}

proptest! {
    /// SAFE-05: octets of any kind are a description or are not.
    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Sdp::read(&octets);
    }

    #[test]
    fn descriptions_with_odd_lines_are_written_again_without_panic(
        lines in prop::collection::vec("(a=(rtcp|crypto|rtpmap|fmtp|candidate|ice-ufrag|setup|mid|ptime|group:BUNDLE)(:[ -~]{0,20})?|c=IN IP[46] [0-9.:]{1,9}|m=(audio|video) [0-9]{1,5} (RTP/AVP|RTP/SAVP|TCP/X)( [0-9]{1,3}){1,4}|[a-z]=[ -ÿ]{0,20})", 0..20)
    ) {
        let text = format!("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n{}\n", lines.join("\n"));
        if let Ok(sdp) = Sdp::read(text.as_bytes()) {
            let options = Options::default();
            let media = vec![MediumOut::Passed; sdp.media.len()];
            let written = write(&sdp, &Rewrite { options: &options, media, loop_mark: None });
            let again = Sdp::read(&written).unwrap();
            prop_assert_eq!(again.media.len(), sdp.media.len());
        }
    }
}
