//! The engine as a library: a configuration, how its endpoints stand, and a decision with its reasons. No server, no file.
//!
//! `cargo run --example decide`
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "an example prints what it found")]

use std::{error::Error, sync::Arc};

use meridian::{
    Chance, Draft, Endpoint, EndpointState, Family, Key, Name, Policy, Pool, Prefix, Recording, Region, RegionId,
    RouteId, Service, ServiceId, Snapshot, World,
};

fn main() -> Result<(), Box<dyn Error>> {
    let region = |name: &str| Region { name: name.into(), ..Region::default() };
    let endpoint = |n: u16, name: &str| Endpoint {
        name: name.into(),
        region: RegionId(n),
        v4: Some([192, 0, 2, 1 + n as u8].into()),
        weight: 100,
        order: n.into(),
        ..Endpoint::default()
    };
    let pool =
        Pool { name: "web".into(), endpoints: vec![endpoint(0, "eu-1"), endpoint(1, "us-1")], ..Pool::default() };
    let mut service = Service::new(Name::from_text("www.example.com")?);
    service.routes = vec![RouteId(0)];
    let world = Arc::new(World::seal(Draft {
        regions: vec![region("eu"), region("us")],
        pools: vec![pool],
        policies: vec![Policy { prefer: vec![(Key::Order, 0)], answers: 1, ..Policy::default() }],
        services: vec![service],
        ..Draft::default()
    }));
    // eu-1 is down, so the next in order answers.
    let state = |_: &Pool, e: &Endpoint| if &*e.name == "eu-1" { EndpointState::down(e) } else { EndpointState::up(e) };
    let snapshot = Snapshot::of(world, state);
    let (client, mut why) = (Prefix::host([203, 0, 113, 7].into()), Recording::default());
    let decision =
        snapshot.decide(ServiceId(0), client, Family::V4, Chance::default(), &mut why).ok_or("no service")?;
    println!("{:?}, TTL {} s", snapshot.addresses(&decision, Family::V4), decision.ttl);
    why.0.iter().for_each(|step| println!("  {step:?}"));
    Ok(())
}
