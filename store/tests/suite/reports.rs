//! What agents reported as not working.

use model::id::{Id, InteractionId, ReportId, TenantId, UserId};
use model::report::{Fault, Report};

use crate::fixture::*;
use crate::on_each_engine;

fn report(number: u64, fault: Fault) -> Report {
    Report {
        id: ReportId::from_number(number),
        tenant: tenant_id(),
        at: at(number),
        agent: UserId::from_number(number % 2),
        interaction: number.is_multiple_of(2).then(|| InteractionId::from_number(number)),
        fault,
        remark: "It crackles.".into(),
        log_size: 5 * (number % 3),
        done: None,
    }
}

on_each_engine! {
    /// QUAL-03, QUAL-04: reports come back newest first, with their logs apart; they are marked, counted and forgotten.
    async fn reports_are_kept_until_they_are_old(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let all = store.reports();
        for (number, fault) in (1..).zip(Fault::ALL) {
            all.insert_report(&report(number, fault), &"line\n".repeat(number as usize % 3)).await.unwrap();
        }
        let first = all.reports(tenant_id(), false, None, 4).await.unwrap();
        let rest = all.reports(tenant_id(), false, first.next.as_ref(), 4).await.unwrap();
        let listed: Vec<Report> = first.items.into_iter().chain(rest.items).collect();
        let mut wanted: Vec<Report> = (1..).zip(Fault::ALL).map(|(number, fault)| report(number, fault)).collect();
        wanted.reverse();
        assert_eq!(listed, wanted);
        let id = ReportId::from_number;
        assert_eq!(all.report_log(tenant_id(), id(2)).await.unwrap(), Some("line\nline\n".into()));
        assert_eq!(all.report_log(tenant_id(), id(77)).await.unwrap(), None);
        assert_eq!(all.report_log(TenantId::from_number(9), id(2)).await.unwrap(), None);
        assert_eq!(all.reports_of(UserId::from_number(1), at(3)).await.unwrap(), 2);

        let done = Some((UserId::from_number(8), at(50)));
        all.mark_report(tenant_id(), id(6), done).await.unwrap();
        assert_eq!(all.report(tenant_id(), id(6)).await.unwrap().unwrap().done, done);
        assert_eq!(all.open_reports(tenant_id()).await.unwrap(), 5);
        assert_eq!(all.reports(tenant_id(), true, None, 50).await.unwrap().items.len(), 5);
        all.mark_report(tenant_id(), id(6), None).await.unwrap();
        assert_eq!(all.open_reports(tenant_id()).await.unwrap(), 6);

        assert_eq!(all.forget_reports(TenantId::from_number(9), at(100)).await.unwrap(), 0);
        assert_eq!(all.forget_reports(tenant_id(), at(3)).await.unwrap(), 2);
        assert_eq!(all.report(tenant_id(), id(2)).await.unwrap(), None);
        assert_eq!(all.open_reports(tenant_id()).await.unwrap(), 4);
    }
}
