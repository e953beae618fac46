use super::*;
use proptest::prelude::*;

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "INVITE sip:a@b SIP/2.0\r\n",
        "SIP/2.0 200 OK\r\n",
        "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n",
        "From: ",
        "To: <sip:a@b>;tag=1\r\n",
        "<sip:a@b>;tag=2\r\n",
        "Call-ID: x\r\n",
        "CSeq: 1 INVITE\r\n",
        "m: ",
        "l: 3\r\n",
        "\r\n",
        "\r\n ",
        "\"",
        "\\",
        "<",
        ">",
        ";",
        "=",
        ",",
        "é",
        "\u{0}",
        "[::1]",
        ":",
        "%4",
        "*",
        " ",
        "/",
    ];
    let word = prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(|w| w.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(word, 0..40).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// SIP-06: no bytes make the check panic, and what it lets through it would let through again.
    #[test]
    fn any_bytes_are_judged_once_and_for_all(bytes in pieces(), stream: bool) {
        let carrier = if stream { Carrier::Stream } else { Carrier::Datagram };
        let source = "[2001:db8::1]:5060".parse().unwrap();
        match check(&bytes, carrier, &DIALECT) {
            Checked::Fine(plain) => {
                let again = check(&plain, carrier, &DIALECT);
                prop_assert!(matches!(&again, Checked::Fine(twice) if *twice == plain), "{again:?}");
            }
            Checked::Answer(answer) => {
                answer_bytes(&bytes, &answer, source, "t");
            }
            Checked::KeepAlive | Checked::Drop(_) => {}
        }
    }

    /// A request bent in one place is judged without panic, and judged the same in its plain form.
    #[test]
    fn one_wrong_byte_anywhere_is_survived(at in 0usize..400, byte: u8, instead: bool) {
        let mut bytes = Request::new("INVITE").text().into_bytes();
        let at = at % bytes.len();
        bytes.splice(at..at + usize::from(instead), [byte]);
        if let Checked::Fine(plain) = look(&bytes) {
            prop_assert_eq!(look(&plain), Checked::Fine(plain.clone()));
        }
    }
}
