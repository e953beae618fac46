//! `patchbay trace`: what went over the wire for a call, line by line.

use anyhow::{Context, Result, anyhow};
use model::id::InteractionId;
use serde_json::Value;

use crate::ask;
use crate::cli::TraceArgs;
use crate::config::Config;

/// Asks and shows, or writes a capture file.
pub async fn trace(args: &TraceArgs) -> Result<()> {
    let config = Config::read(&args.ask.config.config)?;
    let interaction: InteractionId = args.interaction.parse().map_err(|error| anyhow!("{error}"))?;
    let path = format!("/api/v1/records/{interaction}/trace");
    if let Some(file) = &args.pcap {
        let capture = ask::file(&config, &format!("{path}.pcap")).await?;
        std::fs::write(file, &capture).with_context(|| format!("cannot write {}", file.display()))?;
        println!("{}: {} octets", file.display(), capture.len());
        return Ok(());
    }
    let trace = ask::get(&config, &path).await?;
    if args.ask.json {
        println!("{trace:#}")
    } else {
        print!("{}", text(&trace, args.whole))
    }
    Ok(())
}

/// The messages for people: when, from and to whom, what.
fn text(trace: &Value, whole: bool) -> String {
    let messages = trace["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let width = messages.iter().map(|m| word(&m["theirs"]).len()).max().unwrap_or_default();
    let mut out = String::new();
    for message in messages {
        let after = message["after_us"].as_u64().unwrap_or_default();
        let arrow = if message["outgoing"] == true { "<--" } else { "-->" };
        let sdp = if message["sdp"] == true { " (SDP)" } else { "" };
        out.push_str(&format!(
            "+{:>4}.{:06}  {:<width$} {arrow} {} {:<3}  {}{sdp}  [{}]\n",
            after / 1_000_000,
            after % 1_000_000,
            word(&message["theirs"]),
            word(&message["ours"]),
            word(&message["wire"]),
            word(&message["summary"]),
            word(&message["cseq"]),
        ));
        if whole {
            word(&message["text"]).lines().for_each(|line| out.push_str(&format!("    {line}\n")));
        }
    }
    if let Some(missing) = trace["left_out"].as_u64().filter(|n| *n > 0) {
        out.push_str(&format!("{missing} messages from the middle of the call were not kept.\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SIP-08: one line a message, arrows the way it went.
    #[test]
    fn a_line_says_who_sent_what_to_whom_and_when() {
        let message = |after_us: u64, outgoing: bool, summary: &str, sdp: bool| {
            serde_json::json!({ "after_us": after_us, "outgoing": outgoing, "wire": "udp", "ours": "192.0.2.1:5060",
                "theirs": "192.0.2.22:5070", "summary": summary, "sdp": sdp, "cseq": "1 INVITE", "text": "a\r\nb" })
        };
        let trace = serde_json::json!({ "messages": [message(0, false, "INVITE", true), message(1_000_250, true, "180 Ringing", false)], "left_out": 2 });
        let expected = "+   0.000000  192.0.2.22:5070 --> 192.0.2.1:5060 udp  INVITE (SDP)  [1 INVITE]\n\
                        +   1.000250  192.0.2.22:5070 <-- 192.0.2.1:5060 udp  180 Ringing  [1 INVITE]\n\
                        2 messages from the middle of the call were not kept.\n";
        assert_eq!(text(&trace, false), expected);
        assert!(text(&trace, true).contains("[1 INVITE]\n    a\n    b\n"));
    }
}
