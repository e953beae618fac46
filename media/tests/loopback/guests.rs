//! Browsers whose legs live away from the port they know.

use std::net::UdpSocket;
use std::time::Duration;

use media::control::{Answer, Command, LegCreated, MediaError, Source};
use media::driver::DriverChoice;
use model::id::{Id, LegId};

use crate::both_drivers;
use crate::browsers::{Browser, OPUS_FRAME, create, load};
use crate::moves::{legs, two_threads};
use crate::world::{How, World, g711};

both_drivers! {
    two_browsers_of_different_threads_talk_wherever_their_network_goes;
    /// WRTC-02: a page that is loaded again takes its leg over, wherever that lives.
    a_page_is_loaded_again_while_its_leg_is_a_guest;
    a_guest_moves_on_and_home_again;
    a_browser_moves_with_all_who_hear_it;
    legs_that_no_browser_reached_yet_move_too;
}

/// Sockets of this machine that are bound to a leg's port: the shared one, and one a line.
fn sockets_on(created: &LegCreated) -> usize {
    let port = format!("0100007F:{:04X} ", created.rtp.port());
    std::fs::read_to_string("/proc/net/udp").unwrap().matches(&port).count()
}

async fn bridge(world: &World, a: LegId, b: LegId) {
    assert_eq!(world.media.command(Command::Bridge { a, b }).await, Ok(Answer::Done));
}

async fn delete(world: &World, leg: LegId) {
    let deleted = world.media.command(Command::DeleteLeg { leg }).await;
    assert!(matches!(deleted, Ok(Answer::Stats(_))), "{deleted:?}");
    let again = world.media.command(Command::Stats { leg }).await;
    assert_eq!(again, Err(MediaError::NoSuchLeg(leg)));
}

/// Both say `n` packets and hear all of the other's.
async fn talk(anna: &mut Browser, ben: &mut Browser, n: u8) {
    (anna.heard, ben.heard) = (Vec::new(), Vec::new());
    for n in 0..n {
        anna.says(&[0x08, n, 1]);
        ben.says(&[0x08, n, 2]);
        tokio::time::sleep(Duration::from_millis(5)).await;
        anna.live();
        ben.live();
    }
    let all = usize::from(n);
    anna.until("Ben is heard", |anna| anna.heard.len() >= all).await;
    ben.until("Anna is heard", |ben| ben.heard.len() >= all).await;
    assert_eq!(ben.heard, (0..n).map(|n| vec![0x08, n, 1]).collect::<Vec<_>>());
    assert_eq!(anna.heard, (0..n).map(|n| vec![0x08, n, 2]).collect::<Vec<_>>());
}

/// While a connection is young, a second nomination is read as a choice among candidates, not as a move (`ice::agent`).
async fn settle(a: &mut Browser, b: &mut Browser) {
    for _ in 0..220 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        a.live();
        b.live();
    }
}

/// Says something until both hear each other over the new network.
async fn reaches(speaker: &mut Browser, hearer: &mut Browser) {
    let before = (speaker.heard.len(), hearer.heard.len());
    for _ in 0..400 {
        speaker.says(&OPUS_FRAME);
        hearer.says(&OPUS_FRAME);
        tokio::time::sleep(Duration::from_millis(5)).await;
        speaker.live();
        hearer.live();
        if speaker.heard.len() > before.0 + 1 && hearer.heard.len() > before.1 + 1 {
            // What is still under way is not of the talk that follows.
            tokio::time::sleep(Duration::from_millis(50)).await;
            speaker.live();
            hearer.live();
            return;
        }
    }
    panic!("the audio did not come back: {before:?}, {}, {}", speaker.heard.len(), hearer.heard.len());
}

async fn two_browsers_of_different_threads_talk_wherever_their_network_goes(driver: DriverChoice) {
    let world = two_threads(driver);
    let (at_anna, at_ben) = (create(&world, None, 10 << 32).await, create(&world, None, 11 << 32).await);
    assert_ne!(at_anna.rtp, at_ben.rtp, "they were born on different threads");
    let mut anna = load(&world, LegId::from_number(10 << 32), &at_anna).await;
    let mut ben = load(&world, LegId::from_number(11 << 32), &at_ben).await;
    assert_eq!((sockets_on(&at_anna), sockets_on(&at_ben)), (1, 1));
    // Anna talks already when they are brought together.
    for n in 0..40 {
        if n == 20 {
            bridge(&world, anna.leg, ben.leg).await;
        }
        anna.says(&OPUS_FRAME);
        ben.says(&OPUS_FRAME);
        tokio::time::sleep(Duration::from_millis(5)).await;
        anna.live();
        ben.live();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(legs(&world).contains(&2), "they live together: {:?}", legs(&world));
    assert_eq!(sockets_on(&at_anna) + sockets_on(&at_ben), 3, "one of them took a line along");
    talk(&mut anna, &mut ben, 20).await;
    for leg in [anna.leg, ben.leg] {
        let received = world.stats(leg).await.received;
        assert_eq!((received.packets, received.lost, received.rejected), (60, 0, 0), "nothing was lost");
    }
    // One of them is a guest and one is at home: both may change their network, more than once.
    settle(&mut anna, &mut ben).await;
    for _ in 0..2 {
        anna.changes_network();
        reaches(&mut anna, &mut ben).await;
        talk(&mut anna, &mut ben, 10).await;
        ben.changes_network();
        reaches(&mut ben, &mut anna).await;
        talk(&mut anna, &mut ben, 10).await;
    }
    delete(&world, anna.leg).await;
    delete(&world, ben.leg).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((sockets_on(&at_anna), sockets_on(&at_ben)), (1, 1), "only the shared sockets are left");
    assert_eq!(legs(&world), [0, 0]);
    // The same legs can be made anew, and nothing of the old ones stands in their way.
    let again = create(&world, None, 10 << 32).await;
    load(&world, LegId::from_number(10 << 32), &again).await;
}

async fn a_page_is_loaded_again_while_its_leg_is_a_guest(driver: DriverChoice) {
    let world = two_threads(driver);
    let (at_anna, at_ben) = (create(&world, None, 20 << 32).await, create(&world, None, 21 << 32).await);
    let mut anna = load(&world, LegId::from_number(20 << 32), &at_anna).await;
    let mut ben = load(&world, LegId::from_number(21 << 32), &at_ben).await;
    bridge(&world, anna.leg, ben.leg).await;
    talk(&mut anna, &mut ben, 5).await;
    for _ in 0..2 {
        anna = load(&world, anna.leg, &at_anna).await;
        talk(&mut anna, &mut ben, 5).await;
        ben = load(&world, ben.leg, &at_ben).await;
        talk(&mut anna, &mut ben, 5).await;
    }
    // Lines to pages that are gone close with the next look after their legs.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(sockets_on(&at_anna) + sockets_on(&at_ben), 3);
    talk(&mut anna, &mut ben, 5).await;
}

async fn a_guest_moves_on_and_home_again(driver: DriverChoice) {
    let world = World::with(driver, 3, 40, Duration::from_secs(30));
    let mut created = Vec::new();
    let mut parties = Vec::new();
    for number in 30..33u64 {
        created.push(create(&world, None, number << 32).await);
        parties.push(load(&world, LegId::from_number(number << 32), &created[created.len() - 1]).await);
    }
    let [anna, ben, carl] = &mut parties[..] else { panic!("three") };
    let silence = async |leg| world.hear(leg, Source::Nothing).await;
    bridge(&world, anna.leg, ben.leg).await;
    talk(anna, ben, 5).await;
    silence(anna.leg).await;
    silence(ben.leg).await;
    // Both are alone again; the first named one goes.
    bridge(&world, anna.leg, carl.leg).await;
    talk(anna, carl, 5).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(legs(&world), [0, 1, 2], "Anna went on to Carl's thread");
    settle(anna, carl).await;
    anna.changes_network();
    reaches(anna, carl).await;
    talk(anna, carl, 5).await;
    silence(anna.leg).await;
    silence(carl.leg).await;
    // Two who talk at Anna's home outweigh her.
    created.push(create(&world, None, 33 << 32).await);
    let mut dora = load(&world, LegId::from_number(33 << 32), &created[3]).await;
    assert_eq!(created[0].rtp, created[3].rtp);
    created.push(create(&world, Some(dora.leg), 34 << 32).await);
    let emil = load(&world, LegId::from_number(34 << 32), &created[4]).await;
    bridge(&world, dora.leg, emil.leg).await;
    bridge(&world, anna.leg, dora.leg).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(legs(&world), [3, 1, 1], "Anna is at home");
    talk(anna, &mut dora, 5).await;
    anna.changes_network();
    reaches(anna, &mut dora).await;
    talk(anna, &mut dora, 5).await;
    for leg in [anna.leg, ben.leg, carl.leg, dora.leg, emil.leg] {
        delete(&world, leg).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(created[..3].iter().map(sockets_on).collect::<Vec<_>>(), [1, 1, 1]);
}

async fn a_browser_moves_with_all_who_hear_it(driver: DriverChoice) {
    let world = two_threads(driver);
    let at_anna = create(&world, None, 40 << 32).await;
    let at_ben = create(&world, None, 41 << 32).await;
    let mut anna = load(&world, LegId::from_number(40 << 32), &at_anna).await;
    let mut ben = load(&world, LegId::from_number(41 << 32), &at_ben).await;
    let mut customer = world.phone(How::default()).await;
    bridge(&world, anna.leg, customer.leg).await;
    let (other, third) = (world.phone(How::default()).await, world.phone(How::default()).await);
    bridge(&world, ben.leg, other.leg).await;
    world.hear(third.leg, Source::Leg(ben.leg)).await;
    // Anna asks Ben, who has more company; her customer hears her still.
    bridge(&world, anna.leg, ben.leg).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(legs(&world), [0, 5]);
    talk(&mut anna, &mut ben, 5).await;
    while customer.hears_within(Duration::from_millis(100)).await.is_some() {}
    anna.says(&OPUS_FRAME);
    assert_eq!(customer.hears().await.expect("she is heard").payload.len(), 160);
    world.hear(anna.leg, Source::Leg(customer.leg)).await;
    anna.heard.clear();
    for n in 0..5 {
        customer.says(&g711(n));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anna.until("the customer is heard", |anna| anna.heard.len() >= 4).await;
    drop(world);
    for created in [at_anna, at_ben] {
        assert!(UdpSocket::bind(created.rtp).is_ok(), "a plane that ended leaves its ports free");
    }
}

async fn legs_that_no_browser_reached_yet_move_too(driver: DriverChoice) {
    let world = two_threads(driver);
    let (at_anna, at_ben) = (create(&world, None, 50 << 32).await, create(&world, None, 51 << 32).await);
    let (anna, ben) = (LegId::from_number(50 << 32), LegId::from_number(51 << 32));
    bridge(&world, anna, ben).await;
    let mut anna = load(&world, anna, &at_anna).await;
    let mut ben = load(&world, ben, &at_ben).await;
    talk(&mut anna, &mut ben, 5).await;
    // A stranger who guesses a guest's name gets no answer and no line.
    let before = sockets_on(&at_anna) + sockets_on(&at_ben);
    let (stranger, _) = crate::world::socket_pair("127.0.0.1");
    for created in [&at_anna, &at_ben] {
        let ufrag = &created.ice.as_ref().unwrap().ufrag;
        let v4 = created.ice.as_ref().unwrap().candidates.iter().find(|addr| addr.is_ipv4()).unwrap();
        (0..300).for_each(|_| _ = stranger.send_to(&forged_check(ufrag), v4).unwrap());
    }
    talk(&mut anna, &mut ben, 5).await;
    assert_eq!(sockets_on(&at_anna) + sockets_on(&at_ben), before);
}

/// A connectivity check without proof (RFC 8489 §5, §14.3).
fn forged_check(ufrag: &str) -> Vec<u8> {
    let name = format!("{ufrag}:evil");
    let padded = name.len().div_ceil(4) * 4;
    let mut check = vec![0, 1];
    check.extend((padded as u16 + 4).to_be_bytes());
    check.extend(0x2112_A442u32.to_be_bytes());
    check.extend(*b"transaction!");
    check.extend([0, 6]);
    check.extend((name.len() as u16).to_be_bytes());
    check.extend(name.as_bytes());
    check.resize(20 + 4 + padded, 0);
    check
}
