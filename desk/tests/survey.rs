//! Callers whom a flow asks for marks (ROUTE-08).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use desk::testing::{House, help};
use model::call::{CallFact, CallOrder};
use model::id::InteractionId;
use model::interaction::EndedBy;
use model::journal::Event;

const FLOW: &str = r##"
name = "Asking"
start = "friendly"

[survey.friendly]
prompt = "choose"
next = "solved"

[survey.solved]
prompt = "welcome"
lowest = 0
highest = 9
next = "end"

[hangup.end]
"##;

/// A house whose number 200 leads to the questions.
async fn open() -> House {
    let house = House::open().await;
    house.answers_with_flow("200", FLOW).await;
    house
}

async fn answers(house: &mut House, keys: &str) -> InteractionId {
    let interaction = house.customer_calls("200").await;
    for digit in keys.chars() {
        house.fact(CallFact::DigitReceived { interaction, digit }).await;
    }
    interaction
}

/// ROUTE-08: marks are in the journal and the record, and counted for the service; who hangs up in the middle has given those
/// before; a start goes on counting.
#[tokio::test]
async fn marks_are_recorded_and_counted_for_the_service() {
    let mut house = open().await;
    let whole = answers(&mut house, "49").await;
    let hung_up = |order: &CallOrder| matches!(order, CallOrder::HangUp { .. }).then_some(());
    house.order(hung_up).await;
    house.call_ends(whole, EndedBy::System).await;
    let half = answers(&mut house, "1").await;
    house.call_ends(half, EndedBy::Customer).await;
    let marks = |event: &Event| matches!(event, Event::Rated { service: Some(s), .. } if *s == help());
    house.eventually(async |house| house.journal().await.iter().filter(|e| marks(e)).count() == 3).await;
    let sue = house.sign_in("sue").await;
    let record = house.desk.record(&sue, whole).await.unwrap();
    let told = |n: usize| (record.marks[n].question.as_str(), record.marks[n].given, record.marks[n].highest);
    assert_eq!([told(0), told(1)], [("friendly", 4, 5), ("solved", 9, 9)]);
    assert_eq!(house.desk.record(&sue, half).await.unwrap().marks.len(), 1);
    // 75, 100 and 0 percent of the way from the lowest mark to the highest.
    let today = house.desk.queues().await.unwrap().remove(0).today;
    assert_eq!((today.marks, today.mean_mark_percent), (3, Some(58.3)));
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    assert!(text.contains(r#"patchbay_survey_mark_ratio_count{queue="Help"} 3"#), "{text}");
    assert!(text.contains(r#"patchbay_survey_mark_ratio_sum{queue="Help"} 1.75"#), "{text}");
    let house = house.crash().await;
    let today = house.desk.queues().await.unwrap().remove(0).today;
    assert_eq!((today.marks, today.mean_mark_percent), (3, Some(58.3)), "a start goes on");
}
