//! A history is written to a file and played again to another node.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    sync::Arc,
};

use meridian::{
    engine::{health::fold::Outcome, types::At},
    node::{
        input::{ConfigurationId, Input, JobId},
        job::Job,
        machine::Node,
    },
    probing::{identity::ProbeId, monitor::ProbeKey},
};

use super::{BEGINNING, CONFIGURATIONS, Chance, Step, configuration, node, world};

/// How many inputs a history has.
const INPUTS: usize = 10_000;

/// A node whose jobs end when the history says so.
pub struct Player {
    pub node: Node,
    /// The jobs that have not ended.
    pub jobs: BTreeMap<JobId, Job>,
}

impl Player {
    pub fn new(node: Node) -> Self {
        Self { node, jobs: BTreeMap::new() }
    }

    /// Lets something happen; a configuration is offered, and the job that ends is done.
    pub fn play(&mut self, at: At, input: &Input) -> Step {
        match input {
            Input::Configuration(id) => self.node.offer_configuration(*id, configuration(id.0)),
            Input::Done(id) => {
                if let Some(job) = self.jobs.remove(id) {
                    self.node.offer_product(job.run());
                }
            }
            Input::Failed(id) => drop(self.jobs.remove(id)),
            _ => {}
        }
        let mut effects = self.node.handle(at, input.clone());
        self.node.tell_regions(&mut effects);
        self.jobs.extend(effects.jobs.drain(..).map(|job| (job.id, job)));
        Step::of(&self.node, &effects)
    }

    /// What happens next: something random, or a job ends.
    pub fn next(&self, chance: &mut Chance, now: At) -> Input {
        match self.jobs.keys().next() {
            Some(id) if chance.0.u8(..10) == 0 => Input::Failed(*id),
            Some(id) if chance.0.u8(..3) == 0 => Input::Done(*id),
            _ => chance.input(&world(&self.node), now),
        }
    }
}

#[test]
fn a_history_that_is_written_and_played_again_makes_the_same_of_a_node_at_every_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.jsonl");
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    let (mut chance, mut player, mut now) = (Chance::new(7), Player::new(node()), BEGINNING);
    let (mut steps, mut kinds) = (Vec::new(), BTreeMap::<String, usize>::new());
    for _ in 0..INPUTS {
        now = At(now.0 + chance.wait());
        let input = player.next(&mut chance, now);
        let text = serde_json::to_string(&(now, &input)).expect("written");
        writeln!(file, "{text}").expect("written");
        *kinds.entry(format!("{input:?}").chars().take_while(|c| c.is_alphanumeric()).collect()).or_default() += 1;
        steps.push(player.play(now, &input));
    }
    file.flush().expect("written");
    let changes: usize = steps.iter().map(|step| step.changes.len()).sum();
    assert!(kinds.len() >= 13 && changes > 1000, "a dull history: {changes} changes, {kinds:?}");
    assert!(player.node.world().measures.nets().next().is_some(), "nothing was measured in it");

    let mut again = Player::new(node());
    for (n, line) in BufReader::new(File::open(&path).expect("there")).lines().enumerate() {
        let (at, input): (At, Input) = serde_json::from_str(&line.expect("text")).expect("an input");
        assert_eq!(again.play(at, &input), steps[n], "input {n}: {input:?}");
    }
}

#[test]
fn rows_and_status_do_not_depend_on_how_often_a_driver_looks() {
    let (mut chance, mut now) = (Chance::new(11), BEGINNING);
    let (mut eager, mut lazy) = (Player::new(node()), Player::new(node()));
    for _ in 0..2000 {
        let then = At(now.0 + chance.wait());
        // The one looks whenever time alone changes something. The other one looks only where a job begins by that: its moment
        // is when a driver takes it.
        while let Some(due) = eager.node.next().filter(|due| *due <= then) {
            let jobs = eager.jobs.len();
            eager.play(due, &Input::Tick);
            if eager.jobs.len() > jobs {
                lazy.play(due, &Input::Tick);
            }
        }
        now = then;
        let input = eager.next(&mut chance, now);
        let (one, other) = (eager.play(now, &input), lazy.play(now, &input));
        assert_eq!((&one.rows, &one.status), (&other.rows, &other.status), "{input:?}");
    }
}

#[test]
fn a_configuration_that_was_never_offered_leaves_the_one_in_force() {
    let mut node = node();
    let before = node.world();
    let effects = node.handle(BEGINNING, Input::Configuration(ConfigurationId(CONFIGURATIONS + 7)));
    assert_eq!((effects.unknown, effects.jobs.len()), (Some(ConfigurationId(CONFIGURATIONS + 7)), 0));
    assert!(Arc::ptr_eq(&before, &node.world()));
}

#[test]
fn what_happens_while_a_configuration_is_compiled_is_not_lost_and_a_failed_one_changes_nothing() {
    let mut player = Player::new(node());
    let before = world(&player.node);
    player.play(BEGINNING, &Input::Configuration(ConfigurationId(1)));
    let id = *player.jobs.keys().next().expect("a job");
    let is_known = |key: &&Arc<ProbeKey>| key.address.to_string() == "192.0.2.12";
    let key = before.targets.iter().filter_map(|target| target.key()).find(is_known).expect("probed");
    let good = Input::outcome(key, Outcome::good(1000));
    let heard = player.play(At(BEGINNING.0 + 10), &good);
    assert_eq!(heard.changes.len(), 1, "{heard:?}");
    player.play(At(BEGINNING.0 + 20), &Input::Failed(id));
    assert!(Arc::ptr_eq(&before, &world(&player.node)));
    player.play(At(BEGINNING.0 + 30), &Input::Configuration(ConfigurationId(1)));
    let id = *player.jobs.keys().next().expect("a job");
    let step = player.play(At(BEGINNING.0 + 40), &Input::Done(id));
    assert!(step.changes[0].contains("\"kept\":"), "{:?}", step.changes);
    let after = world(&player.node);
    assert!(after.endpoints().any(|(_, endpoint)| &*endpoint.name == "eu-3"));
    let status = player.node.status();
    let known = after.probes.targets(&ProbeId::of(key))[0];
    assert!(status.targets[known.at()].is_heard(), "what was found meanwhile is known");
}

#[test]
fn of_configurations_that_wait_the_newest_is_compiled_and_maps_that_are_due_meanwhile_are_made_after_it() {
    let mut player = Player::new(node());
    for id in [1, 2, 1, 2] {
        player.play(BEGINNING, &Input::Configuration(ConfigurationId(id)));
    }
    let compile = |player: &mut Player, at: u64| {
        let id = *player.jobs.keys().next().expect("a job");
        assert_eq!(player.jobs.len(), 1, "one at a time");
        player.play(At(BEGINNING.0 + at), &Input::Done(id));
    };
    compile(&mut player, 1);
    assert_eq!(player.node.configuration(), ConfigurationId(1), "it was under way");
    compile(&mut player, 2);
    assert_eq!(
        (player.node.configuration(), player.jobs.len()),
        (ConfigurationId(2), 0),
        "those between are not wanted"
    );
    // Files are read at the moment at which maps are due: maps are made once they are, and once.
    let (at, cells) = (At(BEGINNING.0 + 60_000), Chance::new(1).cells());
    player.play(at, &Input::LatencyFiles(cells));
    compile(&mut player, 60_000);
    assert_eq!((player.jobs.len(), player.node.next()), (0, Some(at)), "the files are read, and maps are due");
    player.play(at, &Input::Tick);
    compile(&mut player, 60_000);
    assert!(player.jobs.is_empty() && player.node.next().is_none_or(|next| next > at));
}
