//! `make campaign`: long fault runs. Each round does one thing to an appliance and says in a line what it made of it.
//!
//! Round 4 of a campaign is the same each time, however many there are, so that one that failed is met again. The first
//! failure ends the run with 1 and says how.

#![forbid(unsafe_code)]

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    ops::RangeInclusive,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use rig::{
    Error, Result,
    collector::Collector,
    guest::{Appliance, Guest},
    namespace, place, wait, workload,
    world::World,
};

const STARTED_WITHIN: Duration = Duration::from_mins(2);
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// How long after an outage the last line may come: between two tries the guest waits up to 10 s.
const CAUGHT_UP_WITHIN: Duration = Duration::from_mins(1);

/// A campaign by the name that `--only` takes.
struct Campaign {
    name: &'static str,
    /// Where nobody says how many.
    rounds: u32,
    run: fn(&mut World, &Path, Rounds) -> Result<()>,
}

const CAMPAIGNS: [Campaign; 2] = [
    Campaign {
        name: "power-cuts",
        rounds: 9,
        run: power_cuts,
    },
    Campaign {
        name: "collector-outage",
        rounds: 3,
        run: collector_outage,
    },
];

/// From 1.
type Rounds = RangeInclusive<u32>;

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    only: Option<String>,
    rounds: Option<u32>,
    round: Option<u32>,
}

fn main() -> ExitCode {
    let Some(asked) = asked() else {
        let names = CAMPAIGNS.map(|campaign| campaign.name).join(", ");
        eprintln!(
            "usage: hpcr-campaign [--only NAME] [--rounds COUNT | --round NUMBER], NAME one of {names}"
        );
        return ExitCode::from(2);
    };
    let told = namespace::run(rig::prepare, || outcome(run(&asked)));
    told.unwrap_or_else(|error| outcome(Err(error)))
}

fn asked() -> Option<Asked> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut asked = Asked::default();
    for pair in arguments.chunks(2) {
        let [option, value] = pair else { return None };
        let number = || value.parse().ok().filter(|number| *number > 0);
        match option.as_str() {
            "--only" if CAMPAIGNS.iter().any(|known| known.name == value) => {
                asked.only = Some(value.clone());
            }
            "--rounds" => asked.rounds = Some(number()?),
            "--round" => asked.round = Some(number()?),
            _ => return None,
        }
    }
    Some(asked)
}

fn outcome(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: &Asked) -> Result<()> {
    for campaign in &CAMPAIGNS {
        if asked
            .only
            .as_ref()
            .is_some_and(|only| only != campaign.name)
        {
            continue;
        }
        let rounds = match asked.round {
            Some(round) => round..=round,
            None => 1..=asked.rounds.unwrap_or(campaign.rounds),
        };
        println!(
            "{}: rounds {} to {}",
            campaign.name,
            rounds.start(),
            rounds.end()
        );
        let folder = namespace::folder(campaign.name)?;
        let mut world = World::start(&folder, workload::image()?)?;
        (campaign.run)(&mut world, &folder, rounds)?;
    }
    println!("All of it held.");
    Ok(())
}

/// Runs a round, tells what came of it, and in case of failure how to meet it again.
fn tell<T: fmt::Display>(
    campaign: &str,
    round: u32,
    what: &str,
    act: impl FnOnce() -> Result<T>,
) -> Result<()> {
    let begun = Instant::now();
    match act() {
        Ok(came_of_it) => {
            let took = begun.elapsed().as_secs();
            println!("  {round:>3}  {what}: {came_of_it} ({took} s)");
            Ok(())
        }
        Err(error) => {
            println!("  {round:>3}  {what}: FAILED");
            println!("       again: hpcr-campaign --only {campaign} --round {round}");
            Err(error)
        }
    }
}

/// When the power goes off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cut {
    /// In the disk phase of a first boot or just after it: at this part of the time that an undisturbed one took.
    InDiskPhase(f64),
    /// As soon as the page has told this many visits.
    AfterVisit(u32),
}

impl Cut {
    /// Two of three rounds cut the disk phase; multiples of the golden ratio fill it evenly, however many they are.
    fn of(round: u32) -> Self {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        const A_LITTLE_LONGER: f64 = 1.2;
        if round.is_multiple_of(3) {
            Self::AfterVisit(1 + round / 3 % 4)
        } else {
            Self::InDiskPhase((f64::from(round) * GOLDEN).fract() * A_LITTLE_LONGER)
        }
    }
}

/// The power goes off somewhere in a first boot or after a visit; the same disks boot again, and no visit is forgotten.
fn power_cuts(world: &mut World, folder: &Path, rounds: Rounds) -> Result<()> {
    let contract = world.draft().seal(&place::certificate())?.user_data();
    let blank = |name: &str| {
        let folder = folder.join(name);
        fs::create_dir(&folder).map_err(Error::io("making a folder for disks"))?;
        Ok::<_, Error>((Appliance::new(&folder, Some(&contract))?, folder))
    };
    let (appliance, _) = blank("undisturbed")?;
    let disk_phase = disk_phase(&appliance.boot(|_| ())?)?;
    println!(
        "       undisturbed, the disk phase takes {} ms",
        disk_phase.as_millis()
    );
    for round in rounds {
        let (appliance, folder) = blank(&round.to_string())?;
        let cut = Cut::of(round);
        let what = match cut {
            Cut::InDiskPhase(part) => format!(
                "cut {} ms into the disk phase",
                disk_phase.mul_f64(part).as_millis()
            ),
            Cut::AfterVisit(visits) => format!("cut after visit {visits}"),
        };
        tell("power-cuts", round, &what, || {
            let told = boot_until(cut, disk_phase, &appliance)?;
            next_boot(&appliance, told)
        })?;
        fs::remove_dir_all(folder).map_err(Error::io("removing the disks of a round"))?;
    }
    Ok(())
}

/// How long the disk phase of a boot takes, by the console.
fn disk_phase(guest: &Guest) -> Result<Duration> {
    guest.console.wait_for("phase disk", STARTED_WITHIN)?;
    let timeline = guest.timeline();
    let disk = timeline.iter().find(|phase| phase.name == "disk");
    disk.map(|phase| phase.took)
        .ok_or_else(|| Error::Broken(format!("the disk phase has no end:\n{}", guest.console)))
}

/// A first boot, up to the cut; gives the visits that it told.
fn boot_until(cut: Cut, disk_phase: Duration, appliance: &Appliance) -> Result<u32> {
    let guest = appliance.boot(|_| ())?;
    let told = match cut {
        Cut::InDiskPhase(part) => {
            // The phase before it.
            let begin = guest.console.wait_for("phase logging", STARTED_WITHIN)?.at;
            std::thread::sleep((begin + disk_phase.mul_f64(part)).saturating_sub(guest.age()));
            0
        }
        Cut::AfterVisit(visits) => {
            guest.console.wait_for("HPL10001I", STARTED_WITHIN)?;
            (0..visits).try_fold(0, |_, _| visit(&guest))?
        }
    };
    guest.cut_power();
    Ok(told)
}

/// Boots what was cut. It comes up, and its counter goes on from the visits that were told; says what it did to the disk.
fn next_boot(appliance: &Appliance, told: u32) -> Result<String> {
    let guest = appliance.boot(|_| ())?;
    guest.console.wait_for("HPL10001I", STARTED_WITHIN)?;
    let visits = visit(&guest)?;
    let console = guest.console.to_string();
    if visits != told + 1 {
        return Err(Error::Broken(format!(
            "{told} visits were told before the cut, and the next one is number {visits}:\n{console}"
        )));
    }
    let disk = console
        .lines()
        .find_map(|line| line.split_once("HPL02001I"));
    let (_, disk) =
        disk.ok_or_else(|| Error::Broken(format!("no word of the disk:\n{console}")))?;
    let disk = disk.rsplit(": ").next().unwrap_or(disk);
    Ok(format!("then {disk}; visit {visits}"))
}

/// Visits the page that counts; gives the number that it tells.
fn visit(guest: &Guest) -> Result<u32> {
    let page = guest.get("/cgi-bin/visit", ANSWERS_WITHIN)?;
    let number = page
        .lines()
        .find_map(|line| line.strip_prefix("visits: ")?.parse().ok());
    number.ok_or_else(|| Error::Broken(format!("the page tells no visits: {page}")))
}

/// The collector dies and stays away for a while, longer each round, as the workload writes on; every line arrives.
fn collector_outage(world: &mut World, folder: &Path, rounds: Rounds) -> Result<()> {
    let contract = world.draft().seal(&place::certificate())?.user_data();
    let guest = Appliance::new(folder, Some(&contract))?.boot(|_| ())?;
    guest.console.wait_for("HPL10001I", STARTED_WITHIN)?;
    for round in rounds {
        let away = Duration::from_secs(3) * round;
        let what = format!("no collector for {} s", away.as_secs());
        tell("collector-outage", round, &what, || {
            let first = visit(&guest)?;
            let died = Instant::now();
            world.collector.kill();
            while died.elapsed() < away {
                visit(&guest)?;
            }
            world.collector.resume()?;
            let lines = first..=visit(&guest)?;
            let (first, last) = (lines.start(), lines.end());
            let repeated = all_arrived(&world.collector, lines.clone())?;
            Ok(format!(
                "lines {first} to {last}, written around it, have all arrived, {repeated} of them more than once"
            ))
        })?;
    }
    Ok(())
}

/// Waits until the lines of these visits are with the collector; gives how many came more than once.
fn all_arrived(collector: &Collector, visits: RangeInclusive<u32>) -> Result<usize> {
    let what = format!(
        "every line of visits {} to {}",
        visits.start(),
        visits.end()
    );
    let all = || {
        let arrived = arrived(&collector.received()?);
        let times: Option<Vec<_>> = visits.clone().map(|visit| arrived.get(&visit)).collect();
        Ok(times.map(|times| times.into_iter().filter(|times| **times > 1).count()))
    };
    wait::until(&what, CAUGHT_UP_WITHIN, all).map_err(|error| match collector.received() {
        Ok(received) => error.with_hint(&received),
        Err(unreadable) => unreadable,
    })
}

/// How often the line of each visit stands in what the collector received.
fn arrived(received: &str) -> BTreeMap<u32, usize> {
    let mut arrived = BTreeMap::new();
    for line in received.lines() {
        let number = line
            .split_once("web: visit ")
            .and_then(|(_, number)| number.trim_end().parse().ok());
        if let Some(number) = number {
            *arrived.entry(number).or_default() += 1;
        }
    }
    arrived
}
