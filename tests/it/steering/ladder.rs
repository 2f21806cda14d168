//! The ladder: what is asked of a pool on each rung, and what operators, fences and policies leave of it.

use meridian::engine::{
    live::eligible::Exclusion,
    snapshot::Snapshot,
    steer::trace::{Rung, Step},
    types::{PerFamily, RouteId},
    units::{Admission, Permille},
    wire::{name::Name, rr::Rcode},
    world::{
        draw,
        pool::Threshold,
        service::{Canary, Fallback, Families, Service},
    },
};

use super::{
    lab::{A, AAAA, Lab, Question, Told, at, draft, listen, prefix},
    shares::config,
};

/// Pool p (192.0.2.1 to .3 in regions a, b, c) before pool q (192.0.2.9 in region d), all of one weight.
fn two_pools(policy: &str) -> String {
    config(policy, &[("a", 100), ("b", 100), ("c", 100)]).replace("pools = [\"p\"]", "pools = [\"p\", \"q\"]")
        + "[regions.d]\nlocation = { lat = 9, lon = 9 }\n[pools.q]\nmonitor = \"m\"\npolicy = \"tested\"\n[pools.q.endpoints.z]\nregion = \"d\"\naddress = \"192.0.2.9\"\n"
}

fn ask(snapshot: &Snapshot, client: &str) -> Told {
    listen(snapshot, &Question::new("www.g.test", A).with(prefix(client)), at(0)).expect("ready")
}

fn octets(told: &Told) -> Vec<u8> {
    let last = |address: &std::net::IpAddr| match address {
        std::net::IpAddr::V4(v4) => v4.octets()[3],
        std::net::IpAddr::V6(v6) => v6.octets()[15],
    };
    let mut found: Vec<u8> = told.answer.addresses.iter().map(last).collect();
    found.sort_unstable();
    found
}

fn rung(told: &Told) -> Rung {
    told.steps.iter().find_map(|s| if let Step::Rung(rung) = s { Some(*rung) } else { None }).expect("a rung")
}

const ALL: &str = "prefer = []\nspread = \"all\"";

/// G31: fewer than `min_healthy` of a pool pass it over; a share is rounded up; with nobody behind it, it answers with
/// those that are up.
#[test]
fn a_pool_with_too_few_healthy_is_passed_over() {
    for (threshold, healths, expected, wanted) in [
        (Threshold::Count(2), ["g", "g", "b", "g"], vec![1, 2], Rung::Preferred),
        (Threshold::Count(2), ["g", "b", "b", "g"], vec![9], Rung::Preferred),
        (Threshold::Share(Permille(500)), ["g", "b", "b", "g"], vec![9], Rung::Preferred), // half of three is two
        (Threshold::Share(Permille(333)), ["g", "b", "b", "g"], vec![1], Rung::Preferred),
        (Threshold::Count(2), ["g", "b", "b", "b"], vec![1], Rung::Relaxed),
        (Threshold::Count(0), ["g", "b", "b", "g"], vec![1], Rung::Preferred),
    ] {
        let mut draft = draft(&two_pools(ALL), &[]);
        draft.pools[0].min_healthy = threshold;
        let mut lab = Lab::new(draft);
        let told = ask(&lab.healths(&healths), "20.0.0.0/16");
        assert_eq!((octets(&told), rung(&told)), (expected, wanted), "{threshold:?} {healths:?}");
    }
}

/// G31: below its `panic` a pool's health is not believed, but a healthy later pool comes first.
#[test]
fn panic_counts_all_as_up_where_no_later_pool_can_answer() {
    for (healths, expected, wanted) in [
        (["g", "g", "b", "g"], vec![1, 2], Rung::Preferred),
        (["g", "b", "b", "g"], vec![9], Rung::Preferred),
        (["g", "b", "b", "b"], vec![1, 2, 3], Rung::Relaxed),
        (["b", "b", "b", "b"], vec![1, 2, 3], Rung::Relaxed),
    ] {
        let mut draft = draft(&two_pools(ALL), &[]);
        draft.pools[0].panic = Threshold::Share(Permille(500));
        let mut lab = Lab::new(draft);
        let told = ask(&lab.healths(&healths), "20.0.0.0/16");
        assert_eq!((octets(&told), rung(&told)), (expected, wanted), "{healths:?}");
    }
}

/// Drained endpoints take nobody while anybody else can, and answer when nobody else is left.
#[test]
fn a_drain_is_soft_and_a_force_is_not() {
    let mut lab = Lab::new(draft(&two_pools(ALL), &[]));
    let told = |healths: &[&str], drained: u64, out: u64, lab: &mut Lab| {
        let mut snapshot = lab.healths(healths);
        (snapshot.pools[0].drained, snapshot.pools[0].out) = (drained, out);
        let told = ask(&snapshot, "20.0.0.0/16");
        (octets(&told), rung(&told))
    };
    let up = ["g", "g", "g", "g"];
    assert_eq!(told(&up, 0b001, 0, &mut lab), (vec![2, 3], Rung::Preferred));
    assert_eq!(told(&up, 0b111, 0, &mut lab), (vec![9], Rung::Preferred));
    assert_eq!(told(&["g", "g", "g", "b"], 0b111, 0, &mut lab), (vec![1, 2, 3], Rung::Relaxed));
    assert_eq!(told(&["g", "g", "g", "b"], 0, 0b011, &mut lab), (vec![3], Rung::Preferred));
    // Forced down stays down when all is lost, while anybody else is left.
    assert_eq!(told(&["b", "b", "b", "b"], 0, 0b011, &mut lab), (vec![3], Rung::AllDown));
    assert_eq!(told(&["b", "b", "b", "b"], 0, 0b111, &mut lab), (vec![9], Rung::AllDown));
}

/// G52: a name is not emptied by operators: where they have forced down all there is, what they said is set aside.
#[test]
fn operators_cannot_empty_a_name() {
    let mut lab = Lab::new(draft(&two_pools(ALL), &[]));
    let mut snapshot = lab.healthy();
    (snapshot.pools[0].out, snapshot.pools[1].out) = (0b111, 0b1);
    let lifted = ask(&snapshot, "20.0.0.0/16");
    assert_eq!((octets(&lifted), rung(&lifted), lifted.answer.ttl), (vec![1, 2, 3], Rung::Lifted, Some(5)));
    let mut snapshot = lab.healthy();
    (snapshot.pools[0].weighted, snapshot.pools[1].weighted) = (0, 0);
    snapshot.endpoints.iter_mut().for_each(|row| row.weight = 0);
    let lifted = ask(&snapshot, "20.0.0.0/16");
    assert_eq!((octets(&lifted), rung(&lifted)), (vec![1, 2, 3], Rung::Lifted));
}

/// G41: what is answered when all is down is the service's to say.
#[test]
fn every_last_word_is_kept() {
    for (word, rcode, expected) in [
        (Fallback::Refused, Rcode::Refused, vec![]),
        (Fallback::ServFail, Rcode::ServFail, vec![]),
        (Fallback::NoData, Rcode::NoError, vec![]),
        (Fallback::LastKnown, Rcode::NoError, vec![2]),
        (Fallback::IgnoreHealth, Rcode::NoError, vec![1, 2, 3]),
    ] {
        let mut draft = draft(&two_pools(ALL), &[]);
        draft.services[0].when_all_down = word.clone();
        let mut lab = Lab::new(draft);
        let mut snapshot = lab.healths(&["b", "b", "b", "b"]);
        (snapshot.pools[0].last, snapshot.pools[0].last_at) = (0b010, 7);
        let told = ask(&snapshot, "20.0.0.0/16");
        assert_eq!((told.answer.rcode, octets(&told)), (rcode, expected), "{word:?}");
        assert_eq!(rung(&told), Rung::AllDown);
    }
    // Of two pools the one that was up last; of those that were lost together, the first.
    for (first, second, expected) in [(7, 9, vec![9]), (9, 7, vec![2]), (7, 7, vec![2])] {
        let mut draft = draft(&two_pools(ALL), &[]);
        draft.services[0].when_all_down = Fallback::LastKnown;
        let mut lab = Lab::new(draft);
        let mut snapshot = lab.healths(&["b", "b", "b", "b"]);
        (snapshot.pools[0].last, snapshot.pools[0].last_at) = (0b010, first);
        (snapshot.pools[1].last, snapshot.pools[1].last_at) = (0b1, second);
        assert_eq!(octets(&ask(&snapshot, "20.0.0.0/16")), expected);
    }
}

/// A canary pool takes its share of the blocks, always the same; where it cannot answer, the others do.
#[test]
fn a_canary_takes_the_same_share_of_blocks() {
    let share = Admission(Admission::ALL.0 / 10);
    let text = two_pools("prefer = []").replace("pools = [\"p\", \"q\"]", "pools = [\"p\"]");
    let mut draft = draft(&text, &[]);
    draft.services[0].canary = Some(Canary { route: RouteId(1), share });
    draft.services[0].cut = Some(PerFamily::new(16, 32));
    draft.services[0].maps = vec![draft.plain];
    let mut lab = Lab::new(draft);
    let client = |n: u32| format!("{}.{}.0.0/16", 20 + n / 256, n % 256);
    let (healthy, lost) = (lab.healthy(), lab.healths(&["g", "g", "g", "b"]));
    let mut taken = 0;
    for n in 0..2048 {
        let block = prefix(&client(n));
        let expected = draw::canary(healthy.world.services[0].table.seed.block(block)) < share;
        assert_eq!(octets(&ask(&healthy, &client(n))) == [9], expected, "block {n}");
        taken += u32::from(expected);
        assert!(octets(&ask(&lost, &client(n)))[0] <= 3, "a canary that is down takes nobody");
    }
    assert!((150..260).contains(&taken), "about a tenth of 2048: {taken}");
}

/// A larger share keeps all that were of it, and one of everything takes everybody.
#[test]
fn a_canary_that_grows_loses_nobody() {
    let text = two_pools("prefer = []").replace("pools = [\"p\", \"q\"]", "pools = [\"p\"]");
    let of = |share: u32| -> Vec<bool> {
        let service = format!("pools = [\"p\"]\ncanary = {{ pool = \"q\", share = \"{share}%\" }}");
        let snapshot = Lab::new(draft(&text.replace("pools = [\"p\"]", &service), &[])).healthy();
        let client = |n: u32| format!("{}.{}.0.0/16", 20 + n / 256, n % 256);
        (0..1024).map(|n| octets(&ask(&snapshot, &client(n))) == [9]).collect()
    };
    let taken = [1, 10, 30, 75, 100].map(of);
    for pair in taken.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(before, now)| *now || !before));
        assert!(pair[0].iter().filter(|taken| **taken).count() < pair[1].iter().filter(|taken| **taken).count());
    }
    assert!(taken[4].iter().all(|taken| *taken));
}

/// A canary is no way around a fence of the pools, and a dead one is not a service that is all down: whom fences keep out
/// of every pool is told what `when_fenced` says.
#[test]
fn a_dead_canary_leaves_the_fenced_fenced() {
    let pool = |name: &str, address: &str, fence: &str| {
        format!(
            "[pools.{name}]\nmonitor = \"m\"\n{fence}[pools.{name}.endpoints.e]\nregion = \"r\"\naddress = \"{address}\"\n"
        )
    };
    let text = format!(
        "[monitors.m]\ntcp = {{ port = 80 }}\n[regions.r]\n{}{}[services.\"www.g.test\"]\npools = [\"p\"]\n\
         canary = {{ pool = \"q\", share = \"100%\" }}\nwhen_fenced = \"refused\"\n",
        pool("p", "192.0.2.1", "fence = { never = [\"net:20.0.0.0/16\"] }\n"),
        pool("q", "192.0.2.9", "")
    );
    let mut lab = Lab::new(draft(&text, &[]));
    let of_q = lab.world.targets.iter().position(|t| t.address().to_string() == "192.0.2.9").expect("a target");
    let snapshot = lab.healthy();
    assert_eq!(octets(&ask(&snapshot, "20.0.0.0/16")), [9]);
    let letters: Vec<&str> = (0..2).map(|n| if n == of_q { "b" } else { "g" }).collect();
    let snapshot = lab.healths(&letters);
    let told = ask(&snapshot, "20.0.0.0/16");
    assert_eq!((told.answer.rcode, rung(&told)), (Rcode::Refused, Rung::Fenced));
    assert_eq!(octets(&ask(&snapshot, "20.1.0.0/16")), [1]);
}

/// G14: the runner-up is of another region than the first choice; with one region left it is that one.
#[test]
fn the_runner_up_is_of_another_region() {
    let mut draft = draft(&config("prefer = []", &[("a", 100), ("a", 100), ("b", 100), ("c", 10)]), &[]);
    let mut second = Service { second: true, ..draft.services[0].clone() };
    second.name = Name::from_text("next.g.test").expect("a name");
    draft.services.push(second);
    let mut lab = Lab::new(draft);
    for healths in [["g", "g", "g", "g"], ["g", "b", "g", "b"], ["b", "b", "g", "b"], ["b", "b", "b", "b"]] {
        let snapshot = lab.healths(&healths);
        let region = |octet: u8| ["a", "a", "b", "c"][usize::from(octet) - 1];
        let mut living: Vec<&str> = (0..4).filter(|n| healths[*n] == "g").map(|n| region(n as u8 + 1)).collect();
        living.dedup();
        for n in 0..256 {
            let question = |name: &str| Question::new(name, A).with(prefix(&format!("20.{n}.0.0/16")));
            let [first, next] = ["www.g.test", "next.g.test"]
                .map(|name| octets(&listen(&snapshot, &question(name), at(0)).expect("ready"))[0]);
            assert_eq!(region(first) == region(next), living.len() < 2, "block {n} {healths:?}");
        }
    }
}

/// A place that operators state inside a special-purpose block, finer than maps are cut, opens nothing around it: who is
/// there is still nowhere, and outside every `only`.
#[test]
fn a_fence_holds_inside_special_purpose_blocks() {
    let text = config("prefer = []", &[("a", 100)])
        .replace("[monitors.m]", "[geo]\noverrides = \"o.csv\"\n[monitors.m]")
        .replace("[pools.p]\n", "[pools.p]\nfence = { only = [\"country:US\"] }\n")
        + "when_fenced = \"refused\"\n";
    let places = "prefix,continent,country,subdivision,city,lat,lon,asn\n100.64.204.16/28,NA,US,,,,,\n";
    let snapshot = Lab::new(draft(&text, &[("o.csv", places)])).healthy();
    for (source, subnet, open) in [
        ("100.64.204.17", None, true),
        ("100.64.204.1", None, false),
        ("8.8.8.8", Some("100.64.204.1/32"), false),
        ("100.64.204.17", Some("100.64.204.1/32"), true), // the option says nothing: by the sender
        ("8.8.8.8", Some("100.64.204.17/32"), true),
        ("8.8.8.8", None, false),
    ] {
        let question = Question::new("www.g.test", A).from(source);
        let question = match subnet {
            Some(subnet) => question.with(prefix(subnet)),
            None => question,
        };
        let answer = listen(&snapshot, &question, at(0)).expect("ready").answer;
        let expected = if open { Rcode::NoError } else { Rcode::Refused };
        assert_eq!(answer.rcode, expected, "{source} {subnet:?}");
    }
}

/// A direct name answers with its region alone, whatever its health.
#[test]
fn a_direct_name_is_its_region() {
    let mut draft = draft(&config("prefer = []", &[("a", 100), ("b", 100), ("b", 100)]), &[]);
    draft.services[0].only_region = Some(draft.pools[0].endpoints[1].region);
    let mut lab = Lab::new(draft);
    for (healths, expected, wanted) in [
        (["g", "g", "g"], vec![2, 3], Rung::Preferred),
        (["g", "b", "g"], vec![3], Rung::Preferred),
        (["g", "b", "b"], vec![2, 3], Rung::AllDown),
    ] {
        let snapshot = lab.healths(&healths);
        let mut seen = Vec::new();
        for n in 0..64 {
            let told = ask(&snapshot, &format!("20.{n}.0.0/16"));
            assert_eq!(rung(&told), wanted);
            assert!(told.steps.iter().any(|s| matches!(s, Step::Candidate(_, Err(Exclusion::NotAskedFor)))));
            seen.extend(octets(&told));
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, expected, "{healths:?}");
    }
}

/// `apart` and `leave`, for every state of one endpoint's families beside a healthy one of both.
#[test]
fn families_count_as_the_service_says() {
    let text = config("extends = \"failover\"", &[("a", 100), ("b", 100)])
        .replace("\"192.0.2.1\"", "[\"192.0.2.1\", \"2001:db8::1\"]")
        .replace("\"192.0.2.2\"", "[\"192.0.2.2\", \"2001:db8::2\"]")
        .replace("policy = \"tested\"", "policy = \"tested\"\norder = [\"e00\", \"e01\"]");
    for (families, v4, v6, a, aaaa) in [
        (Families::Leave, "g", "g", vec![1], vec![1]),
        (Families::Leave, "g", "b", vec![2], vec![2]),
        (Families::Leave, "b", "g", vec![2], vec![2]),
        (Families::Leave, "g", "n", vec![1], vec![1]),
        (Families::Apart, "g", "g", vec![1], vec![1]),
        (Families::Apart, "g", "b", vec![1], vec![2]),
        (Families::Apart, "b", "g", vec![2], vec![1]),
        (Families::Apart, "b", "b", vec![2], vec![2]),
        // A node without a route for a family knows nothing of it: the endpoint is not down in it.
        (Families::Apart, "g", "n", vec![1], vec![1]),
        (Families::Apart, "n", "g", vec![1], vec![1]),
        (Families::Apart, "b", "n", vec![2], vec![2]),
        (Families::Apart, "n", "n", vec![2], vec![2]),
    ] {
        let mut draft = draft(&text, &[]);
        draft.services[0].families = families;
        let mut lab = Lab::new(draft);
        let letters: Vec<&str> = lab
            .world
            .targets
            .iter()
            .map(|target| match target.address().to_string().as_str() {
                "192.0.2.1" => v4,
                "2001:db8::1" => v6,
                _ => "g",
            })
            .collect();
        let snapshot = lab.healths(&letters);
        let found = [A, AAAA]
            .map(|rtype| octets(&listen(&snapshot, &Question::new("www.g.test", rtype), at(0)).expect("ready")));
        assert_eq!(found, [a, aaaa], "{families:?} {v4} {v6}");
    }
}
