//! The block list, from the call to the refusal.

use super::*;

/// VOICE-16, C17, REC-06: an agent blocks the caller of a call; the next call of that number is refused with 603 and recorded as
/// blocked; on the list the entry is found, and after it is removed the number gets through.
#[tokio::test(flavor = "multi_thread")]
async fn voice_16_an_agent_blocks_a_caller_and_the_next_call_is_refused() {
    let mut office = Office::open().await;
    office.sign_in("anna");
    let mut customer = office.customer("customer", None);
    let page = &mut office.page;
    page.see("[role=alertdialog]");
    page.click("Accept");
    page.see("[data-phase=talking]");
    page.click("Block this number …");
    page.see("dialog[open]:has-text('Block +49 301')");
    page.fill("Reason", "Only breathes");
    page.select("For how long", "a week");
    page.shot("block-caller");
    page.assert_clean("block a caller");
    page.click("Block");
    page.gone("dialog[open]");
    page.see("[role=status]:has-text('+49 301 is blocked from now on.')");
    page.click("Hang up");
    page.see("[data-state=wrap_up]");
    page.click("Complete");
    page.see("[data-state=ready]");
    assert!(customer.running.wait(Duration::from_secs(60)).success(), "SIPp: {}", customer.errors());

    let mut again = office.customer("again", None);
    assert!(!again.running.wait(Duration::from_secs(60)).success(), "the call is refused");
    assert!(again.errors().contains("SIP/2.0 603"), "{}", again.errors());
    scenarios::until("the record says blocked", async || {
        let records = office.admin.get("/records?status=blocked").await;
        records["items"].as_array().is_some_and(|items| items.len() == 1)
    })
    .await;
    let page = &mut office.page;
    assert_eq!(page.count("[role=alertdialog]"), 0, "nobody is rung");
    page.click("Service records");
    page.tab("Blocked numbers");
    page.see("tr:has-text('+49 301'):has-text('Only breathes'):has-text('Agent anna')");
    page.fill("Number or reason", "nothing like it");
    page.click("Search");
    page.see("td:text-is('No number is blocked.')");
    page.fill("Number or reason", "breathes");
    page.click("Search");
    page.see("tr:has-text('Only breathes')");
    page.shot("blocks");
    page.assert_clean("block list");
    page.theme_and_language("dark", "ru");
    page.shot("blocks-ru");
    page.assert_clean("block list, Russian, dark");
    page.theme_and_language("light", "en");
    page.click("Remove +49 301 from the list");
    page.click("+49 301 may call again: remove");
    page.see("[role=status]:has-text('+49 301 may call again.')");
    let third = office.customer("third", None);
    office.page.see("[role=alertdialog]");
    office.page.click("Decline");
    drop(third);
}
