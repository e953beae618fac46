//! Legs that meet on one thread.

use std::time::Duration;

use media::control::{Command, Source};
use media::driver::DriverChoice;

use crate::both_drivers;
use crate::world::{How, World, g711};

both_drivers! {
    a_talking_leg_moves_to_its_new_partner_without_losing_a_packet;
    a_leg_moves_with_all_who_hear_it;
}

/// A world of two threads, and phones that live on both.
pub fn two_threads(driver: DriverChoice) -> World {
    World::with(driver, 2, 40, Duration::from_secs(30))
}

pub fn legs(world: &World) -> Vec<u64> {
    world.media.counters().iter().map(|thread| thread.counters.legs).collect()
}

async fn a_talking_leg_moves_to_its_new_partner_without_losing_a_packet(driver: DriverChoice) {
    let world = two_threads(driver);
    let (mut anna, mut ben) = (world.phone(How::default()).await, world.phone(How::default()).await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(legs(&world), [1, 1], "new legs go where the fewest are");
    let said: u16 = 60;
    let media = world.media.clone();
    let bridge = Command::Bridge { a: anna.leg, b: ben.leg };
    for n in 0..said {
        anna.says(&g711(n as u8));
        if n == 20 {
            media.command(bridge.clone()).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(legs(&world).iter().sum::<u64>(), 2);
    assert!(legs(&world).contains(&2), "they live together: {:?}", legs(&world));
    let stats = world.stats(anna.leg).await.received;
    assert_eq!((stats.packets, stats.lost), (u64::from(said), 0), "nothing was lost on the way");
    for n in 21..said {
        assert_eq!(ben.hears().await.unwrap().payload, g711(n as u8));
    }
    ben.says(&g711(99));
    assert_eq!(anna.hears().await.unwrap().payload, g711(99));
    let counters = world.media.command(Command::DeleteLeg { leg: anna.leg }).await;
    assert!(counters.is_ok(), "commands find it at its new home");
}

async fn a_leg_moves_with_all_who_hear_it(driver: DriverChoice) {
    let world = two_threads(driver);
    let mut customer = world.phone(How::default()).await;
    let mut other = world.phone(How::default()).await;
    let near = Some(customer.leg);
    let (leg, created) = world.create("127.0.0.1", near).await.unwrap();
    let mut agent = crate::world::Phone::new(leg, created, How::default());
    world.configure(&agent).await.unwrap();
    world.bridge(&customer, &agent).await;
    // Consultation: the other one hears the agent, wherever they all live afterwards.
    world.hear(other.leg, Source::Leg(agent.leg)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(legs(&world).contains(&3), "{:?}", legs(&world));
    agent.says(&g711(1));
    assert_eq!(customer.hears().await.unwrap().payload, g711(1));
    assert_eq!(other.hears().await.unwrap().payload, g711(1));
    customer.says(&g711(2));
    assert_eq!(agent.hears().await.unwrap().payload, g711(2));
}
