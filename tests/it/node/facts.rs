//! What a node knows is copied, written down, and another node goes on from it.

use meridian::{
    engine::types::At,
    node::{
        facts::NodeFacts,
        input::{ConfigurationId, Input},
        machine::Node,
    },
};

use super::{BEGINNING, Chance, Step, configuration, history::Player, node, world};

#[test]
fn a_node_that_goes_on_from_written_facts_does_as_the_one_that_wrote_them() {
    let (mut chance, mut player, mut now) = (Chance::new(3), Player::new(node()), BEGINNING);
    for _ in 0..40 {
        for _ in 0..50 {
            now = At(now.0 + chance.wait());
            let input = player.next(&mut chance, now);
            player.play(now, &input);
        }
        // Jobs have to end before: what is given away again begins later.
        while let Some(id) = player.jobs.keys().next().copied() {
            player.play(now, &Input::Done(id));
        }
        let known = player.node.facts(now);
        let text = serde_json::to_string(&known).expect("written");
        let read: NodeFacts = serde_json::from_str(&text).expect("facts");
        let mut other = Player::new(
            Node::resume(player.node.configuration(), world(&player.node), read).expect("the same configuration"),
        );
        assert_eq!(serde_json::to_string(&other.node.facts(now)).expect("written"), text);
        let mut then = now;
        for _ in 0..30 {
            then = At(then.0 + chance.wait());
            let input = player.next(&mut chance, then);
            let (one, same): (Step, Step) = (player.play(then, &input), other.play(then, &input));
            assert_eq!(one, same, "{input:?}");
        }
        now = then;
    }
}

#[test]
fn jobs_that_had_not_ended_are_given_away_again() {
    let mut player = Player::new(node());
    player.play(BEGINNING, &Input::Configuration(ConfigurationId(1)));
    assert_eq!(player.jobs.len(), 1);
    let known = player.node.facts(BEGINNING);
    let mut other = Player::new(
        Node::resume(player.node.configuration(), world(&player.node), known).expect("the same configuration"),
    );
    other.node.offer_configuration(ConfigurationId(1), configuration(1));
    let mut effects = other.node.handle(At(BEGINNING.0 + 1), Input::Tick);
    let job = effects.jobs.pop().expect("it is given away again");
    let id = job.id;
    other.node.offer_product(job.run());
    assert_eq!(other.node.handle(At(BEGINNING.0 + 2), Input::Done(id)).in_force, Some(ConfigurationId(1)));
}

#[test]
fn facts_of_another_configuration_are_refused() {
    let mut one = node();
    let other = Node::new(BEGINNING, configuration(1));
    let known = one.facts(BEGINNING);
    assert!(Node::resume(ConfigurationId(0), other.world(), known.clone()).is_err(), "another shape");
    assert!(Node::resume(ConfigurationId(1), one.world(), known.clone()).is_err(), "another number");
    assert!(Node::resume(ConfigurationId(0), one.world(), known).is_ok());
}
