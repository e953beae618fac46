//! Configuration over REST: versions, repeated requests, cursors, validation, secrets, audit.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod common;

use axum::http::Method;
use common::{Api, Client};
use desk::testing::{anna, ben, german, help};
use model::call::CallOrder;
use serde_json::{Value, json};

/// API-01: ETags on configuration; two people cannot overwrite each other.
#[tokio::test]
async fn a_change_names_the_version_it_changes() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let path = format!("/skills/{}", german());
    let shown = admin.get(&path).await;
    assert_eq!((shown.status, shown.body["name"].as_str()), (200, Some("German")));
    let changed = admin.put(&path, &shown.etag(), json!({"name": "Deutsch"})).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.etag(), shown.etag());
    let stale = admin.put(&path, &shown.etag(), json!({"name": "Allemand"})).await;
    assert_eq!((stale.status, stale.problem()), (412, "stale"));
    let blind = admin.send(Method::PUT, &path, &[], Some(json!({"name": "Allemand"}))).await;
    assert_eq!((blind.status, blind.problem()), (428, "match-required"));
    let foreign = admin.put(&path, "\"abc\"", json!({"name": "Allemand"})).await;
    assert_eq!(foreign.status, 412);
    assert_eq!(admin.get(&path).await.body["name"], "Deutsch");
    assert_eq!(admin.put(&path, "*", json!({"name": "Allemand"})).await.status, 200);
    let used = admin.delete(&path, "*").await;
    assert_eq!((used.status, used.problem()), (409, "conflict"), "a service asks for it");
}

/// The tenant's settings: for administrators, by version, with refusals that name the place.
#[tokio::test]
async fn the_tenant_is_set_up_by_an_administrator() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let shown = admin.get("/tenant").await;
    assert_eq!((shown.status, &shown.body["name"]), (200, &json!("Example")));
    assert_eq!(shown.body["offer_window"]["internal"], json!(["channel", "name", "extension"]));
    assert_eq!(shown.body["system_names"], json!({"no_answer": null, "connection_lost": null}));
    let mut wanted = shown.body.clone();
    wanted["offer_window"]["external"] = json!(["name", "line"]);
    wanted["system_names"]["no_answer"] = json!("Missed");
    let changed = admin.put("/tenant", &shown.etag(), wanted.clone()).await;
    assert_eq!((changed.status, &changed.body), (200, &wanted));
    let stale = admin.put("/tenant", &shown.etag(), wanted.clone()).await;
    assert_eq!((stale.status, stale.problem()), (412, "stale"));
    let blind = admin.send(Method::PUT, "/tenant", &[], Some(wanted.clone())).await;
    assert_eq!((blind.status, blind.problem()), (428, "match-required"));
    assert_eq!(admin.put("/tenant", "*", wanted.clone()).await.status, 200);
    let mut twice = wanted.clone();
    twice["offer_window"]["external"] = json!(["name", "name"]);
    let refused = admin.put("/tenant", "*", twice).await;
    assert_eq!((refused.status, refused.problem()), (422, "invalid"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/offer_window/external/1");
    let mut unknown = wanted.clone();
    unknown["offer_window"]["external"] = json!(["shoe_size"]);
    let refused = admin.put("/tenant", "*", unknown).await;
    assert_eq!((refused.status, refused.problem()), (400, "malformed"));
    assert!(refused.body["detail"].as_str().unwrap().contains("waited"), "what can be named is said");
    let audit = admin.get("/audit").await;
    let actions: Vec<_> =
        audit.body["items"].as_array().unwrap().iter().map(|e| e["action"].clone()).collect();
    assert!(actions.contains(&json!("tenant.update")), "{actions:?}");
    for login in ["anna", "sue"] {
        let other = api.client(login).await;
        assert_eq!(other.get("/tenant").await.status, 403, "{login}");
        assert_eq!(other.put("/tenant", "*", wanted.clone()).await.status, 403, "{login}");
    }
}

/// API-01: a repeated request with the same Idempotency-Key creates nothing twice.
#[tokio::test]
async fn a_repeated_post_gets_the_first_answer_again() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let key = [("idempotency-key", "0b5e7c1e")];
    let create = |body: Value| admin.send(Method::POST, "/skills", &key, Some(body));
    let first = create(json!({"name": "French"})).await;
    let again = create(json!({"name": "French"})).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(again.header("idempotency-replayed"), "true");
    let location = first.header("location");
    assert_eq!(location, format!("/api/v1/skills/{}", first.body["id"].as_str().unwrap()));
    let other = create(json!({"name": "Spanish"})).await;
    assert_eq!((other.status, other.problem()), (422, "key-reused"));
    let list = admin.get("/skills").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 2, "German and French");
    // A refused request may be tried again with the same key.
    let key = [("idempotency-key", "second")];
    let taken = admin.send(Method::POST, "/skills", &key, Some(json!({"name": "French"}))).await;
    assert_eq!((taken.status, taken.problem()), (409, "conflict"));
    let free = admin.send(Method::POST, "/skills", &key, Some(json!({"name": "Greek"}))).await;
    assert_eq!(free.status, 201);
}

/// API-01: cursors, not pages.
#[tokio::test]
async fn a_list_is_walked_by_cursors_without_a_gap() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    for n in 0..7 {
        assert_eq!(admin.post("/skills", json!({"name": format!("Skill {n}")})).await.status, 201);
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/skills?limit=3{cursor}")).await;
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 8);
    let wrong = admin.get("/skills?cursor=made-up").await;
    assert_eq!((wrong.status, wrong.problem()), (400, "malformed"));
}

/// API-01: RFC 9457 problems with stable types, for everything that can be wrong with a request.
#[tokio::test]
async fn whatever_is_wrong_with_a_request_is_a_problem() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let post = |kind: &'static str, body: &[u8]| {
        let body = body.to_vec();
        let admin = admin.clone();
        async move { admin.raw(Method::POST, "/skills", &[], Some((kind, body))).await }
    };
    for (kind, body, status, problem) in [
        ("application/json", &b"{\"name\": "[..], 400, "malformed"),
        ("application/json", b"{\"name\": 7}", 400, "malformed"),
        ("application/json", b"{\"name\": \"x\", \"nick\": \"y\"}", 400, "malformed"),
        ("application/json", b"\xff\xfe", 400, "malformed"),
        ("application/json", b"", 400, "malformed"),
        ("text/plain", b"{\"name\": \"x\"}", 415, "not-json"),
        ("application/json", b"{\"name\": \"\"}", 422, "invalid"),
    ] {
        let answer = post(kind, body).await;
        assert_eq!((answer.status, answer.problem()), (status, problem), "{}", String::from_utf8_lossy(body));
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(post("application/json", deep.as_bytes()).await.status, 400);
    let huge = vec![b' '; 1024 * 1024 + 1];
    let answer = post("application/json", &huge).await;
    assert_eq!((answer.status, answer.problem()), (413, "too-large"));
    let answer = admin.get("/nothing/here").await;
    assert_eq!((answer.status, answer.problem()), (404, "not-found"));
    let answer = admin.send(Method::PATCH, "/skills", &[], None).await;
    assert_eq!((answer.status, answer.problem()), (405, "method-not-allowed"));
    let answer = admin.get("/skills/not-an-id").await;
    assert_eq!((answer.status, answer.problem()), (404, "not-found"));
    let answer = admin.get("/skills?limit=many").await;
    assert_eq!((answer.status, answer.problem()), (400, "malformed"));
    let long = "x".repeat(40_000);
    let answer = admin.send(Method::GET, "/skills", &[("x-long", &long)], None).await;
    assert_eq!((answer.status, answer.problem()), (431, "too-large"));
}

#[tokio::test]
async fn fields_that_cannot_be_taken_are_named_by_pointers() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let pointers = |answer: &common::Answer| -> Vec<String> {
        assert_eq!(answer.problem(), "invalid", "{:?}", answer.body);
        let errors = answer.body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    let user = json!({"login": "ümit", "name": " x", "role": "agent", "email": "nobody", "extension": "1", "phone": "sip"});
    assert_eq!(pointers(&admin.post("/users", user).await), ["/login", "/name", "/email", "/extension"]);
    let trunk = json!({"name": "Carrier", "addresses": ["192.0.2.1", "0.0.0.0/0"], "target": "bad target"});
    assert_eq!(pointers(&admin.post("/trunks", trunk).await), ["/addresses/1", "/target"]);
    let service =
        json!({"name": "X", "queue": {"ring_time_ms": 100, "waiting_max": 0}, "requirement": {"steps": []}});
    assert_eq!(
        pointers(&admin.post("/services", service).await),
        ["/requirement", "/queue/waiting_max", "/queue/ring_time_ms"]
    );
    assert_eq!(
        pointers(&admin.post("/numbers", json!({"digits": "12a", "service": help()})).await),
        ["/digits"]
    );
    let weak = json!({"login": "zoe", "name": "Zoe", "role": "agent", "password": "short"});
    assert_eq!(pointers(&admin.post("/users", weak).await), ["/password"]);
    assert!(
        !list(&admin, "/users").await.iter().any(|user| user["login"] == "zoe"),
        "nothing half-made stays"
    );
    let unknown = json!({"digits": "12", "service": "service_00000000-0000-0000-0000-0000000000ff"});
    assert_eq!(admin.post("/numbers", unknown).await.status, 422);
}

/// ROUTE-01: the capacity is set for the tenant and for a group; what is left out is as it comes, and what is wrong is named.
#[tokio::test]
async fn the_tenant_and_each_group_say_what_agents_carry() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let shown = admin.get("/tenant").await;
    let capacity = &shown.body["capacity"];
    assert_eq!(capacity["chat"], json!({"units": 20, "at_once": 5}));
    assert_eq!(capacity["blending"]["email"]["voice"], json!("interrupt"));
    let mut wanted = shown.body.clone();
    wanted["capacity"] =
        json!({"chat": {"units": 50, "at_once": 2}, "blending": {"voice": {"email": "beside"}}});
    let changed = admin.put("/tenant", &shown.etag(), wanted.clone()).await;
    assert_eq!(changed.status, 200, "{:?}", changed.body);
    let again = admin.get("/tenant").await.body["capacity"].clone();
    assert_eq!(again["chat"], json!({"units": 50, "at_once": 2}));
    let blending = &again["blending"];
    assert_eq!(
        [&blending["voice"]["email"], &blending["voice"]["chat"]],
        [&json!("beside"), &json!("never")]
    );
    wanted["capacity"] = json!({"units": 60, "chat": {"units": 33, "at_once": 51}});
    let refused = admin.put("/tenant", "*", wanted).await;
    let pointers: Vec<_> =
        refused.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    let calls = ["/capacity/voice/units", "/capacity/callback/units", "/capacity/campaign/units"];
    for pointer in calls.into_iter().chain(["/capacity/chat/at_once"]) {
        assert!(pointers.contains(&json!(pointer)), "{pointer} among {pointers:?}");
    }

    let group = admin.post("/groups", json!({"name": "Mail"})).await;
    assert_eq!(group.body["rules"]["capacity"], json!(null), "as the tenant says");
    let rules = json!({"capacity": {"email": {"units": 10, "at_once": 10}}});
    let group = admin.post("/groups", json!({"name": "More mail", "rules": rules})).await;
    assert_eq!(group.status, 201, "{:?}", group.body);
    assert_eq!(group.body["rules"]["capacity"]["email"], json!({"units": 10, "at_once": 10}));
}

/// ROUTE-03, ROUTE-05: each service has its own order of waiting and rings as many at once as it says; without a word it is
/// the time waited and one after the other.
#[tokio::test]
async fn a_service_has_its_own_order_of_waiting_and_way_of_ringing() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let plain = admin.post("/services", json!({"name": "Plain"})).await;
    let order = |answer: &common::Answer| {
        let queue = &answer.body["queue"];
        ["order", "late", "slope_percent", "ring", "ring_agents"].map(|key| queue[key].clone())
    };
    assert_eq!(order(&plain), [json!("ageing"), json!("first"), json!(100), json!("one"), json!(3)]);
    let queue = json!({"order": "slopes", "slope_percent": 250, "ring": "several", "ring_agents": 5});
    let steep = admin.post("/services", json!({"name": "Steep", "queue": queue})).await;
    assert_eq!(steep.status, 201, "{:?}", steep.body);
    assert_eq!(order(&steep), [json!("slopes"), json!("first"), json!(250), json!("several"), json!(5)]);
    let queue = json!({"order": "deadline", "late": "last", "ring": "all"});
    let late = admin.post("/services", json!({"name": "Late", "queue": queue})).await;
    assert_eq!(order(&late), [json!("deadline"), json!("last"), json!(100), json!("all"), json!(3)]);
    let queue = json!({"slope_percent": 0, "ring_agents": 51});
    let wrong = admin.post("/services", json!({"name": "Wrong", "queue": queue})).await;
    let pointers: Vec<_> =
        wrong.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, [json!("/queue/slope_percent"), json!("/queue/ring_agents")]);
}

/// A requirement nobody meets is stored, and its author is warned.
#[tokio::test]
async fn a_requirement_nobody_meets_is_warned_of() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let step = |level: u8| json!({"steps": [{"who": {"at_least": {"skill": german(), "level": level}}}]});
    let vain = admin.post("/services", json!({"name": "Vain", "requirement": step(10)})).await;
    assert_eq!(vain.status, 201, "{:?}", vain.body);
    assert!(vain.body["warnings"][0].as_str().unwrap().contains("Nobody"));
    let fine = admin.post("/services", json!({"name": "Fine", "requirement": step(9)})).await;
    assert!(fine.body.get("warnings").is_none(), "{:?}", fine.body);
    let any =
        admin.post("/services", json!({"name": "Any", "requirement": {"steps": [{"who": "any"}]}})).await;
    assert_eq!((any.status, &any.body["requirement"]["steps"][0]["who"]), (201, &json!("any")));
}

/// A change is in force at once: a new number leads to its service with the next call.
#[tokio::test]
async fn a_change_is_in_force_with_the_next_call() {
    let mut api = Api::open().await;
    let admin = api.client("adam").await;
    let _page = api.house.page("anna").await;
    assert_eq!(admin.post("/numbers", json!({"digits": "+49555", "service": help()})).await.status, 201);
    let call = api.house.customer_calls("+49555").await;
    assert_eq!(api.house.rung(call).await.0, anna());
}

/// SAFE-01, API-03: a phone's secret is strong, told once, and signalling gets digests; every write is audited.
#[tokio::test]
async fn a_phone_secret_is_told_once_and_known_to_signalling_as_a_digest() {
    let mut api = Api::open().await;
    let admin = api.client("adam").await;
    let path = format!("/users/{}", anna());
    let secret_path = format!("{path}/phone-secret");
    let refused = admin.send(Method::POST, &secret_path, &[], None).await;
    assert_eq!(refused.problem(), "not-now", "Anna's phone is in the browser");
    let shown = admin.get(&path).await;
    let mut user = shown.body.clone();
    user["phone"] = "sip".into();
    assert_eq!(admin.put(&path, &shown.etag(), user).await.status, 200);
    let secret = admin.send(Method::POST, &secret_path, &[], None).await;
    assert_eq!((secret.status, &secret.body["username"]), (200, &shown.body["extension"]));
    let password = secret.body["password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 24);
    let phones = api
        .house
        .order(|order| match order {
            CallOrder::Configure(config) if !config.phones.is_empty() => Some(config.phones.clone()),
            _ => None,
        })
        .await;
    let extension = shown.body["extension"].as_str().unwrap();
    let digest = desk::testing::digest(extension, "test", &password);
    assert_eq!((&phones[0].ha1.md5, &phones[0].ha1.sha256), (&digest.0, &digest.1));
    let log = admin.get("/audit?limit=200").await;
    let text = log.body.to_string();
    assert!(!text.contains(&password), "no secrets in the audit log");
    let actions: Vec<_> =
        log.body["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"user.phone_secret") && actions.contains(&"user.update"), "{actions:?}");
    let items = log.body["items"].as_array().unwrap();
    let entry = items.iter().find(|entry| entry["action"] == "user.phone_secret").unwrap();
    assert_eq!((&entry["address"], &entry["target"]), (&json!("198.51.100.7"), &json!(anna())));
}

#[tokio::test]
async fn a_trunk_with_a_password_reaches_signalling_and_never_comes_back() {
    let mut api = Api::open().await;
    let admin = api.client("adam").await;
    let body =
        json!({"name": "Carrier", "username": "pbx", "password": "a carrier's secret", "srtp": "require"});
    let made = admin.post("/trunks", body).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert!(!made.body.to_string().contains("secret"));
    let (trunk, ha1) = api
        .house
        .order(|order| match order {
            CallOrder::Configure(config) => config.trunks.iter().find(|(_, ha1)| ha1.is_some()).cloned(),
            _ => None,
        })
        .await;
    assert_eq!((trunk.name.as_str(), trunk.calls_max), ("Carrier", 500));
    assert_eq!(ha1.unwrap().md5, desk::testing::digest("pbx", "test", "a carrier's secret").0);
}

/// ACW-01, ACW-07: each service has its own list of dispositions with their attributes.
#[tokio::test]
async fn dispositions_belong_to_their_service() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let other =
        admin.post("/services", json!({"name": "Sales"})).await.body["id"].as_str().unwrap().to_owned();
    let path = format!("/services/{other}/dispositions");
    let made = admin.post(&path, json!({"name": "Sold", "success": true, "closing": true})).await;
    assert_eq!((made.status, made.body["service"].as_str()), (201, Some(other.as_str())));
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(list(&admin, &path).await.len(), 1);
    let elsewhere = admin.get(&format!("/services/{}/dispositions/{id}", help())).await;
    assert_eq!(elsewhere.status, 404);
    let one = format!("{path}/{id}");
    let interim =
        admin.put(&one, &made.etag(), json!({"name": "Thinks", "success": false, "closing": false})).await;
    assert_eq!((interim.status, &interim.body["closing"]), (200, &json!(false)));
    assert_eq!(admin.delete(&one, &interim.etag()).await.status, 204);
    assert_eq!(admin.get(&one).await.status, 404);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let me = admin.get("/session").await.body["user"].clone();
    let path = format!("/users/{}", me["id"].as_str().unwrap());
    let demoted = admin.put(&path, "*", json!({"login": "adam", "name": "Adam", "role": "agent"})).await;
    assert_eq!(demoted.problem(), "invalid");
    assert_eq!(admin.delete(&path, "*").await.problem(), "invalid");
}

#[tokio::test]
async fn every_kind_can_be_made_shown_changed_and_removed() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    for (path, body, field) in [
        ("/groups", json!({"name": "Night", "rules": {"wrap_up_ms": null, "auto_answer": true}}), "name"),
        ("/skills", json!({"name": "French"}), "name"),
        ("/reasons", json!({"name": "Training", "icon": "training"}), "name"),
        ("/services", json!({"name": "Sales", "record": false}), "name"),
        ("/numbers", json!({"digits": "555", "service": help()}), "digits"),
        ("/trunks", json!({"name": "Carrier", "addresses": ["192.0.2.0/28"]}), "name"),
        (
            "/users",
            json!({"login": "zoe", "name": "Zoe", "role": "agent", "password": "a long password"}),
            "login",
        ),
    ] {
        let made = admin.post(path, body.clone()).await;
        assert_eq!(made.status, 201, "{path}: {:?}", made.body);
        let one = format!("{path}/{}", made.body["id"].as_str().unwrap());
        let shown = admin.get(&one).await;
        assert_eq!(shown.body, made.body, "{path}");
        assert_eq!(shown.etag(), made.etag());
        let mut changed = shown.body.clone();
        changed[field] = if field == "digits" {
            "556".into()
        } else {
            format!("{}-2", body[field].as_str().unwrap()).into()
        };
        let put = admin.put(&one, &shown.etag(), changed.clone()).await;
        assert_eq!((put.status, &put.body[field]), (200, &changed[field]), "{path}: {:?}", put.body);
        assert_eq!(admin.delete(&one, &put.etag()).await.status, 204, "{path}");
        assert_eq!(admin.get(&one).await.status, 404, "{path}");
    }
}

async fn list(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.body["items"].as_array().unwrap().clone()
}

fn steps(texts: &[&str]) -> Value {
    let step = |text: &&str| json!({"who_text": text, "lasts_ms": null});
    json!({"steps": texts.iter().map(step).collect::<Vec<_>>()})
}

/// ROUTE-02: each step of a requirement may be given as text, and is shown as text beside the JSON.
#[tokio::test]
async fn a_requirement_is_given_and_shown_as_text() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let wanted = steps(&["german >= 7", "GERMAN and not agent in (anna, ben)", "any"]);
    let made = admin.post("/services", json!({"name": "Rings", "requirement": wanted})).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let path = format!("/services/{}", made.body["id"].as_str().unwrap());
    let shown = admin.get(&path).await;
    let at_least = |level: u8| json!({"at_least": {"skill": german(), "level": level}});
    let rings = &shown.body["requirement"]["steps"];
    assert_eq!((&rings[0]["who_text"], &rings[0]["who"]), (&json!("German >= 7"), &at_least(7)));
    let not_them = json!({"not": {"one_of": [anna(), ben()]}});
    assert_eq!(rings[1]["who_text"], json!("German and not agent in (anna, ben)"));
    assert_eq!(rings[1]["who"], json!({"and": [at_least(1), not_them]}));
    assert_eq!((&rings[2]["who_text"], &rings[2]["who"]), (&json!("any"), &json!("any")));
    assert!(list(&admin, "/services").await.iter().any(|s| s["requirement"] == shown.body["requirement"]));
    let again = admin.put(&path, &shown.etag(), shown.body.clone()).await;
    assert_eq!((again.status, &again.body["requirement"]), (200, &shown.body["requirement"]));
    let skill = format!("/skills/{}", german());
    assert_eq!(admin.put(&skill, "*", json!({"name": "Deutsch (DE)"})).await.status, 200);
    let renamed = admin.get(&path).await;
    assert_eq!(renamed.body["requirement"]["steps"][0]["who_text"], "\"Deutsch (DE)\" >= 7");
    assert_eq!(renamed.body["requirement"]["steps"][0]["who"], at_least(7));
}

/// ROUTE-02: a wrong text is refused with its place and reason, and what was configured stays.
#[tokio::test]
async fn a_wrong_requirement_is_refused_with_its_place_and_the_old_one_stays() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let path = format!("/services/{}", help());
    let before = admin.get(&path).await;
    let mut service = before.body.clone();
    service["requirement"] = steps(&["any", "any and\n  (germn >= 2)"]);
    let refused = admin.put(&path, &before.etag(), service.clone()).await;
    assert_eq!((refused.status, refused.problem()), (422, "invalid"));
    let error = &refused.body["errors"][0];
    assert_eq!(error["pointer"], "/requirement/steps/1/who_text");
    let why = "line 2, column 4: there is no skill `germn`; did you mean `German`?";
    assert_eq!(error["message"], why);
    let place = json!({"at": 11, "length": 5, "line": 2, "column": 4, "code": "unknown",
        "params": {"kind": "skill", "name": "germn", "instead": "German"},
        "message": "there is no skill `germn`; did you mean `German`?", "shown": "  (germn >= 2)\n   ^^^^^"});
    assert_eq!(error["text"], place);
    let mut contrary = before.body.clone();
    contrary["requirement"]["steps"][0]["who_text"] = json!("German >= 9");
    let refused = admin.put(&path, &before.etag(), contrary).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (422, &json!("/requirement/steps/0/who_text"))
    );
    service["requirement"] = json!({"steps": [{"lasts_ms": null}]});
    let refused = admin.put(&path, &before.etag(), service).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (422, &json!("/requirement/steps/0"))
    );
    let after = admin.get(&path).await;
    assert_eq!((after.etag(), after.body), (before.etag(), before.body));
}

/// ROUTE-02: a text can be tried without being stored: whether it is valid, how many meet it now, and who.
#[tokio::test]
async fn a_requirement_is_tried_without_being_stored() {
    let api = Api::open().await;
    let admin = api.client("adam").await;
    let try_text = async |text: &str| {
        let answer = admin.post("/requirement/check", json!({"text": text})).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body
    };
    let who = |body: &Value| {
        let all = body["who_meet"].as_array().unwrap();
        assert_eq!(body["agents"], all.len());
        all.iter().map(|user| user["login"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let fine = try_text("german").await;
    assert_eq!(
        (&fine["valid"], &fine["problem"], &fine["who_text"]),
        (&json!(true), &json!(null), &json!("German"))
    );
    assert_eq!(fine["who"], json!({"at_least": {"skill": german(), "level": 1}}));
    assert_eq!(who(&fine), ["anna", "ben"]);
    assert_eq!(who(&try_text("any and not german and not agent sue").await), ["adam", "cleo"]);
    assert!(who(&try_text("nobody").await).is_empty());
    let wrong = try_text("german >").await;
    assert_eq!((&wrong["valid"], &wrong["agents"], &wrong["who"]), (&json!(false), &json!(0), &json!(null)));
    assert_eq!((&wrong["problem"]["code"], &wrong["problem"]["column"]), (&json!("expected"), &json!(9)));
    let path = format!("/users/{}", ben());
    let mut user = admin.get(&path).await.body;
    user["disabled"] = json!(true);
    assert_eq!(admin.put(&path, "*", user).await.status, 200);
    assert_eq!(who(&try_text("german").await), ["anna"], "who may not sign in does not count");
    assert_eq!(try_text("agent ben").await["valid"], json!(true));
    let text = json!({"text": "any"});
    assert_eq!(api.client("sue").await.post("/requirement/check", text.clone()).await.status, 200);
    assert_eq!(api.client("cleo").await.post("/requirement/check", text).await.status, 403);
}

/// ROUTE-08, API-03: tables for flows come as CSV, larger than other bodies may be; what is wrong is said with its line, and only
/// administrators change them.
#[tokio::test]
async fn tables_are_imported_as_csv() {
    let api = Api::open().await;
    let (admin, sue) = (api.client("adam").await, api.client("sue").await);
    let put = async |client: &Client, path: &str, csv: &str| {
        client.raw(Method::PUT, path, &[], Some(("text/csv", csv.as_bytes().to_vec()))).await
    };
    let large = (0..60_000)
        .fold(String::from("code,team\n"), |csv, n| csv + &format!("{n},{}\n", "north ".repeat(4)));
    assert!(large.len() > 1 << 20);
    let made = put(&admin, "/tables/codes", &large).await;
    assert_eq!((made.status, &made.body["rows"]), (200, &json!(60_000)), "{}", made.body);
    let wrong = put(&admin, "/tables/codes", "code,team\n1,a\n1,b\n").await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(wrong.body.to_string().contains("line 3: the key `1` is there twice"), "{}", wrong.body);
    let named = put(&admin, "/tables/Codes", "code,team\n").await;
    assert_eq!(named.status, 422, "{}", named.body);
    let phones = put(&admin, "/tables/customers?phone_keys=true", "number,tier\n+49 30 1,gold\n").await;
    assert_eq!((phones.status, &phones.body["phone_keys"]), (200, &json!(true)), "{}", phones.body);
    let listed = admin.get("/tables").await.body;
    let items = &listed["items"];
    assert_eq!((&items[0]["name"], &items[1]["name"]), (&json!("codes"), &json!("customers")), "{listed}");
    assert_eq!(items[0]["columns"], json!(["team"]), "{listed}");

    assert_eq!(put(&sue, "/tables/codes", "code,team\n").await.status, 403);
    assert_eq!(sue.send(Method::DELETE, "/tables/codes", &[], None).await.status, 403);
    assert_eq!(admin.send(Method::DELETE, "/tables/codes", &[], None).await.status, 204);
    assert_eq!(admin.send(Method::DELETE, "/tables/codes", &[], None).await.status, 404);
    assert_eq!(admin.get("/tables").await.body["items"].as_array().unwrap().len(), 1);
}
