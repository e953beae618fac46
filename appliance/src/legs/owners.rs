//! Whose each leg is: the appliance's calls know, or the proxies' calls of a media node.

use std::collections::HashMap;

use control_api::Soon;
use desk::DeskHandle;
use media::control::{Hears, LegSight};
use model::id::{InteractionId, LegId};
use signaling::service::{LegOwner, SignalingControl, Whose};

/// Whose a leg is, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Of which call.
    pub call: Option<String>,
    /// `trunk`, `phone`, `browser`, `party`.
    pub kind: &'static str,
    /// The trunk's, agent's or party's name.
    pub name: Option<String>,
}

/// Tells whose legs are.
pub trait Owners: Send + Sync {
    /// Of these; a leg nobody knows is left out.
    fn of<'a>(&'a self, sights: &'a [LegSight]) -> Soon<'a, HashMap<LegId, Owner>>;
}

/// Whose the legs of an appliance are.
pub struct OfAppliance {
    /// Knows the calls.
    pub signaling: SignalingControl,
    /// Knows the names.
    pub desk: DeskHandle,
}

impl Owners for OfAppliance {
    fn of<'a>(&'a self, sights: &'a [LegSight]) -> Soon<'a, HashMap<LegId, Owner>> {
        Box::pin(async move {
            let known: HashMap<LegId, LegOwner> =
                self.signaling.owners().await.into_iter().map(|owner| (owner.leg, owner)).collect();
            let configuration = self.desk.configuration();
            let name = |whose| match whose {
                Whose::Trunk(trunk) => {
                    configuration.trunks.iter().find(|t| t.id == trunk).map(|t| t.name.clone())
                }
                Whose::Phone(agent) | Whose::Browser(agent) => {
                    configuration.users.get(&agent).map(|user| user.name.clone())
                }
            };
            let owner = |sight: &LegSight| {
                let owner = known.get(&sight.leg)?;
                let kind = match owner.whose {
                    Whose::Trunk(_) => "trunk",
                    Whose::Phone(_) => "phone",
                    Whose::Browser(_) => "browser",
                };
                let call = call_of(sight, owner, sights, &known).map(|call| call.to_string());
                Some((sight.leg, Owner { call, kind, name: name(owner.whose) }))
            };
            sights.iter().filter_map(owner).collect()
        })
    }
}

/// The call a leg is in. A softphone may be in several (one talks, others are held) or only be rung: it is in the call of the
/// leg it hears, or that hears it; of calls between softphones, in the one that both are in.
fn call_of(
    sight: &LegSight,
    owner: &LegOwner,
    sights: &[LegSight],
    known: &HashMap<LegId, LegOwner>,
) -> Option<InteractionId> {
    let [first, ..] = *owner.calls else { return None };
    if !matches!(owner.whose, Whose::Browser(_)) {
        return Some(first);
    }
    let shared = |other: &LegOwner| other.calls.iter().find(|call| owner.calls.contains(call)).copied();
    let heard = if let Hears::Leg(leg) = sight.hears { known.get(&leg).and_then(shared) } else { None };
    let hearers = || {
        let hears_it = |other: &&LegSight| other.hears == Hears::Leg(sight.leg);
        sights.iter().filter(hears_it).find_map(|other| known.get(&other.leg).and_then(shared))
    };
    // Who hears nothing at all is rung at most; a sound is ringing, a tone or noise of the one call there is.
    let only = || (owner.calls.len() == 1 && sight.hears != Hears::Nothing).then_some(first);
    heard.or_else(hearers).or_else(only)
}

/// Whose the legs of a media node are.
pub struct OfNode(pub ng::OwnersHandle);

impl Owners for OfNode {
    fn of<'a>(&'a self, sights: &'a [LegSight]) -> Soon<'a, HashMap<LegId, Owner>> {
        Box::pin(async move {
            let browsers: HashMap<LegId, bool> = sights.iter().map(|s| (s.leg, s.browser)).collect();
            let owner = |owner: ng::session::LegOwner| {
                let kind = if *browsers.get(&owner.leg)? { "browser" } else { "party" };
                let name = owner.label.or(owner.tag);
                Some((owner.leg, Owner { call: Some(owner.call), kind, name }))
            };
            self.0.read().await.into_iter().filter_map(owner).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::control::{LegStats, Secured};
    use model::id::{Id, TrunkId, UserId};

    fn sight(leg: u64, hears: Hears) -> LegSight {
        LegSight {
            leg: LegId::from_number(leg),
            thread: 0,
            browser: false,
            video: false,
            remote: None,
            comes_in: None,
            goes_out: None,
            secured: Secured::Plain,
            hears,
            muted: false,
            recorded: false,
            in_kernel: false,
            stats: LegStats::default(),
        }
    }
    fn call(number: u64) -> InteractionId {
        InteractionId::from_number(number)
    }
    fn customer(leg: u64, of: u64) -> LegOwner {
        let whose = Whose::Trunk(TrunkId::from_number(1));
        LegOwner { leg: LegId::from_number(leg), whose, calls: vec![call(of)] }
    }
    fn softphone(leg: u64, calls: &[u64]) -> LegOwner {
        let whose = Whose::Browser(UserId::from_number(leg));
        LegOwner { leg: LegId::from_number(leg), whose, calls: calls.iter().map(|n| call(*n)).collect() }
    }
    /// The call of the leg that is seen first.
    fn of_first(sights: &[LegSight], owners: Vec<LegOwner>) -> Option<InteractionId> {
        let known: HashMap<LegId, LegOwner> = owners.into_iter().map(|owner| (owner.leg, owner)).collect();
        call_of(&sights[0], &known[&sights[0].leg], sights, &known)
    }
    const NOTHING: Hears = Hears::Nothing;
    fn leg(number: u64) -> Hears {
        Hears::Leg(LegId::from_number(number))
    }

    #[test]
    fn a_customer_is_in_its_call_whatever_it_hears() {
        assert_eq!(of_first(&[sight(1, Hears::Sound)], vec![customer(1, 7)]), Some(call(7)));
    }

    #[test]
    fn a_softphone_with_two_calls_is_in_the_one_it_hears() {
        let sights = [sight(1, leg(3)), sight(2, Hears::Sound), sight(3, leg(1))];
        let owners = vec![softphone(1, &[7, 8]), customer(2, 7), customer(3, 8)];
        assert_eq!(of_first(&sights, owners), Some(call(8)));
    }

    #[test]
    fn a_softphone_that_hears_nothing_is_in_the_call_in_which_it_is_heard() {
        let sights = [sight(1, NOTHING), sight(2, leg(1))];
        assert_eq!(of_first(&sights, vec![softphone(1, &[7, 8]), customer(2, 7)]), Some(call(7)));
    }

    #[test]
    fn colleagues_at_softphones_are_in_the_call_that_both_are_in() {
        let sights = [sight(1, leg(2)), sight(2, leg(1))];
        assert_eq!(of_first(&sights, vec![softphone(1, &[7, 8]), softphone(2, &[9, 8])]), Some(call(8)));
    }

    #[test]
    fn a_softphone_that_is_only_rung_is_in_no_call_yet_and_one_that_hears_ringing_is() {
        assert_eq!(of_first(&[sight(1, NOTHING)], vec![softphone(1, &[7])]), None);
        assert_eq!(of_first(&[sight(1, Hears::Sound)], vec![softphone(1, &[7])]), Some(call(7)));
        assert_eq!(of_first(&[sight(1, Hears::Sound)], vec![softphone(1, &[])]), None);
    }
}
