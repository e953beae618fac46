use std::time::Duration;

use model::time::Timestamp;
use proptest::prelude::*;

use super::replies::{ANSWERS_MAX, KEPT};
use super::*;

fn read(text: &str) -> Result<Value, &'static str> {
    payload(text.as_bytes()).1
}

/// MEDIA-15: the same request in bencode and in JSON is the same request.
#[test]
fn bencode_and_json_say_the_same() {
    let bencode = read("d7:command5:offer5:flagsl13:trust-addresse12:delete-delayi5e3:ICE6:removee");
    let json = read(r#"{"command":"offer","flags":["trust-address"],"delete-delay":5,"ICE":"remove"}"#);
    let (bencode, json) = (bencode.unwrap(), json.unwrap());
    for name in ["command", "flags", "delete delay", "ICE"] {
        assert_eq!(bencode.get(name), json.get(name), "{name}");
        assert!(bencode.get(name).is_some());
    }
}

#[test]
fn what_cannot_be_read_has_the_error_text_that_log_watchers_know() {
    assert_eq!(read("hello"), Err("Invalid NG data format"));
    assert_eq!(read("d7:command"), Err("Could not decode bencode dictionary"));
    assert_eq!(read("d7:command99:pinge"), Err("Could not decode bencode dictionary"));
    assert_eq!(read("{\"command\":"), Err("Failed to parse JSON document"));
}

#[test]
fn a_datagram_without_a_cookie_is_nothing() {
    assert_eq!(cookie(b"d7:command4:pinge"), None);
    assert_eq!(cookie(b" d7:command4:pinge"), None);
    assert_eq!(cookie(b"5_1_2 de"), Some((&b"5_1_2"[..], &b"de"[..])));
    assert_eq!(cookie(&[b'x'; 400]), None, "a cookie has an end");
}

#[test]
fn depth_and_count_are_bounded_in_both_encodings() {
    let deep = "d1:a".repeat(DEPTH_MAX + 2);
    assert!(bencode::read(format!("{deep}0:{}", "e".repeat(DEPTH_MAX + 2)).as_bytes()).is_none());
    assert!(json::read(format!("{}{}", "[".repeat(40), "]".repeat(40)).as_bytes()).is_none());
    assert!(bencode::read(format!("l{}e", "0:".repeat(VALUES_MAX)).as_bytes()).is_none());
    assert!(json::read(format!("[{}1]", "1,".repeat(VALUES_MAX)).as_bytes()).is_none());
}

#[test]
fn an_answer_that_no_datagram_holds_is_an_error_that_fits() {
    let large = Value::ok().with("x", "y".repeat(70_000));
    let datagram = answer(b"c", Encoding::Bencode, &large);
    assert!(datagram.len() < 200 && datagram.starts_with(b"c d6:result5:error"));
}

fn host() -> std::net::IpAddr {
    "192.0.2.1".parse().unwrap()
}

/// MEDIA-15: a repeated cookie gets the stored answer, not a second execution.
#[test]
fn a_repeated_cookie_gets_the_stored_answer_for_a_minute() {
    let mut replies = Replies::default();
    let at = Timestamp::from_millis;
    assert_eq!(replies.seen(host(), b"1", at(0)), Seen::Never);
    assert_eq!(replies.seen(host(), b"1", at(5)), Seen::Working);
    replies.answered(host(), b"1", b"1 de");
    assert_eq!(replies.seen(host(), b"1", at(1_000)), Seen::Answered(b"1 de"));
    assert_eq!(replies.seen("192.0.2.2".parse().unwrap(), b"1", at(1_000)), Seen::Never);
    assert_eq!(replies.seen(host(), b"1", at(0) + KEPT + Duration::from_millis(1)), Seen::Never);
}

#[test]
fn cookies_are_kept_in_a_bounded_number() {
    let mut replies = Replies::default();
    for n in 0..ANSWERS_MAX + 10 {
        replies.seen(host(), n.to_string().as_bytes(), Timestamp::from_millis(1));
    }
    assert_eq!(replies.len(), ANSWERS_MAX);
    assert_eq!(replies.seen(host(), b"0", Timestamp::from_millis(2)), Seen::Never, "the oldest is forgotten");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any::<i64>().prop_map(Value::Int), "[ -~]{0,20}".prop_map(Value::from)];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::btree_map("[a-zA-Z -]{1,10}", inner, 0..6)
                .prop_map(|entries| Value::Dict(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    /// SAFE-05: octets of any kind are read or refused, never more.
    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some((cookie, rest)) = cookie(&octets) {
            let (encoding, read) = payload(rest);
            let _ = answer(cookie, encoding, &read.unwrap_or(Value::dict()));
        }
        bencode::read(&octets);
        json::read(&octets);
    }

    #[test]
    fn octets_that_look_like_bencode_never_panic(text in "[dlie0-9:a-]{0,200}") {
        bencode::read(text.as_bytes());
    }

    #[test]
    fn what_is_written_reads_back(value in value()) {
        let (mut bencoded, mut json) = (Vec::new(), Vec::new());
        bencode::write(&value, &mut bencoded);
        json::write(&value, &mut json);
        prop_assert_eq!(json::read(&json), Some(value.clone()));
        prop_assert_eq!(bencode::read(&bencoded), Some(value));
    }
}
