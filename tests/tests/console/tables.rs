//! Tables for flows on the administrator's page.

use super::*;

/// Gives the page's file field a file with this content.
fn choose(page: &mut Browser, file: &str, csv: &str) {
    page.evaluate(&format!(
        "(() => {{
            const chosen = new DataTransfer();
            chosen.items.add(new File([{}], {}, {{ type: 'text/csv' }}));
            const field = document.querySelector('input[type=file]');
            field.files = chosen.files;
            field.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()",
        json!(csv),
        json!(file)
    ));
}

/// ROUTE-08: a table is imported from a file, replaced, refused with its line when something is wrong with it, and removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_imported_and_removed() {
    let mut office = Office::open().await;
    office.page.sign_in(&office.appliance.base, "chief", PASSWORD);
    let page = &mut office.page;
    page.click("Admin");
    page.tab("Self-service");
    page.see("h3:text-is('Tables that flows look values up in')");
    choose(page, "Post Codes.csv", "code;team\n10115;north\n80331;south\n");
    assert_eq!(page.evaluate("document.querySelector('form input[pattern]').value"), "post-codes");
    page.click("Import");
    page.see("form [role=status]:text-is('post-codes has 2 rows now.')");
    page.see("tr:has(th:text-is('post-codes')):has(td:text-is('team'))");
    page.shot("tables");
    page.assert_clean("tables");
    choose(page, "codes.csv", "code,team\n1,a\n1,b\n");
    page.click("Import");
    page.see("form [role=status]:text-is('line 3: the key `1` is there twice')");
    let tables = office.admin.get("/tables").await;
    assert_eq!((&tables["items"][0]["name"], &tables["items"][0]["rows"]), (&json!("post-codes"), &json!(2)));
    let page = &mut office.page;
    page.click("Delete post-codes");
    page.see("form [role=status]:text-is('post-codes is deleted.')");
    page.gone("th:text-is('post-codes')");
}
