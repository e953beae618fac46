//! Kamailio with its `rtpengine` module: a real proxy that commands media nodes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::eventually;
use crate::process::Running;

/// A running Kamailio on 127.0.0.1.
pub struct Kamailio {
    /// The process; it has children, which end with SIGTERM only.
    pub running: Running,
}

impl Kamailio {
    /// Starts it at a UDP port: calls go on to `callee`, media through nodes at these NG ports, offers and answers with the
    /// flags of the module's documentation.
    pub fn start(dir: &Path, port: u16, callee: u16, nodes: &[u16]) -> Self {
        let sockets: Vec<String> = nodes.iter().map(|ng| format!("udp:127.0.0.1:{ng}")).collect();
        let text = CONFIGURATION
            .replace("@PORT@", &port.to_string())
            .replace("@CALLEE@", &callee.to_string())
            .replace("@NODES@", &sockets.join(" "))
            .replace("@FLAGS@", "replace-origin replace-session-connection");
        let mut kamailio = Self::run(dir, &text);
        eventually("Kamailio found its nodes", Duration::from_secs(60), || {
            assert!(kamailio.running.runs(), "it ended:\n{}", kamailio.running.output());
            let found = kamailio.running.output().matches("support for it enabled").count();
            (found >= nodes.len()).then_some(())
        });
        kamailio
    }

    /// Starts it at a UDP port as a carrier's proxy that lets only this user in, with this digest algorithm; calls go on to
    /// `callee`, who sees the credentials.
    pub fn guarding(dir: &Path, port: u16, callee: u16, (user, password): (&str, &str), hash: &str) -> Self {
        let text = CARRIER
            .replace("@PORT@", &port.to_string())
            .replace("@CALLEE@", &callee.to_string())
            .replace("@HASH@", hash)
            .replace("@USER@", user)
            .replace("@PASSWORD@", password);
        Self::run_until_it_answers(dir, &text, port)
    }

    /// Starts it at a UDP port as a carrier at which this user registers, for at most ten seconds at a time; calls come to wherever the
    /// user registered, with the number that was dialled in `To`.
    pub fn registrar(dir: &Path, port: u16, (user, password): (&str, &str)) -> Self {
        let text = REGISTRAR
            .replace("@PORT@", &port.to_string())
            .replace("@USER@", user)
            .replace("@PASSWORD@", password);
        Self::run_until_it_answers(dir, &text, port)
    }

    fn run_until_it_answers(dir: &Path, text: &str, port: u16) -> Self {
        let mut kamailio = Self::run(dir, text);
        eventually("Kamailio runs", Duration::from_secs(60), || {
            assert!(kamailio.running.runs(), "it ended:\n{}", kamailio.running.output());
            // Whoever listens answers, if only that the caller is nobody.
            let line = crate::sip::Line::to(port);
            let question = line.request("OPTIONS", "ping", "");
            line.send(question.as_bytes());
            line.answer(Duration::from_millis(500)).map(drop)
        });
        kamailio
    }

    fn run(dir: &Path, text: &str) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        let file = dir.join("kamailio.cfg");
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-m", "32", "-M", "8", "-f"]).arg(&file).arg("-Y").arg(dir);
        let needs = "kamailio and kamailio-extra-modules";
        Self { running: Running::start("kamailio", needs, &mut command, &dir.join("kamailio.log")) }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        if self.running.runs() {
            self.running.signal(libc::SIGTERM);
            self.running.wait(Duration::from_secs(20));
        }
    }
}

/// As in the documentation of the module: manage in requests with a description, in replies, and at the end.
const CONFIGURATION: &str = r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
disable_tcp=yes
listen=udp:127.0.0.1:@PORT@
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "@NODES@")
request_route {
    if (is_method("CANCEL")) {
        if (t_check_trans()) { rtpengine_manage(); t_relay(); }
        exit;
    }
    if (has_totag()) {
        if (!loose_route()) {
            if (is_method("ACK") && t_check_trans()) t_relay();
            exit;
        }
        if (is_method("INVITE|ACK|UPDATE")) rtpengine_manage("@FLAGS@");
        if (is_method("BYE")) rtpengine_manage();
        t_on_reply("MEDIA");
        t_relay();
        exit;
    }
    record_route();
    $du = "sip:127.0.0.1:@CALLEE@";
    if (is_method("INVITE")) {
        rtpengine_manage("@FLAGS@");
        t_on_reply("MEDIA");
        t_on_failure("FAILED");
    }
    t_relay();
}
onreply_route[MEDIA] {
    if (has_body("application/sdp")) rtpengine_manage("@FLAGS@");
}
failure_route[FAILED] { rtpengine_manage(); }
"#;

/// As in the documentation of its `auth` module; each nonce may be used often, with a count.
const CARRIER: &str = r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
disable_tcp=yes
listen=udp:127.0.0.1:@PORT@
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
modparam("auth", "algorithm", "@HASH@")
request_route {
    if (is_method("ACK")) {
        if (has_totag()) { if (loose_route()) t_relay(); else if (t_check_trans()) t_relay(); }
        exit;
    }
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if ($au != "@USER@" || !pv_proxy_authenticate("carrier.example", "@PASSWORD@", "0")) {
        proxy_challenge("carrier.example", "1");
        exit;
    }
    if (has_totag()) {
        loose_route();
        t_relay();
        exit;
    }
    record_route();
    $du = "sip:127.0.0.1:@CALLEE@";
    t_relay();
}
"#;

/// As in the documentation of its `registrar` module.
const REGISTRAR: &str = r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
disable_tcp=yes
listen=udp:127.0.0.1:@PORT@
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("auth", "qop", "auth")
modparam("registrar", "min_expires", 1)
modparam("registrar", "max_expires", 10)
request_route {
    if (is_method("REGISTER")) {
        if ($au != "@USER@" || !pv_www_authenticate("carrier.example", "@PASSWORD@", "0")) {
            www_challenge("carrier.example", "1");
            exit;
        }
        save("location");
        exit;
    }
    if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (has_totag()) {
        if (loose_route()) { t_relay(); exit; }
    } else {
        record_route();
    }
    $rU = "@USER@";
    if (!lookup("location")) { sl_send_reply("404", "Not registered"); exit; }
    t_relay();
}
"#;
