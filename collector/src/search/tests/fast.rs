//! Fast paths agree with plain ones: counting by blocks, minutes of a partition, pages that look into few partitions.

use super::*;

#[test]
fn counting_by_blocks_agrees_with_counting_one_by_one() {
    for field in
        ["source.ip", "destination.port", "dns.question.name", "dns.resolved_ip", "event.dataset", "network.bytes"]
    {
        for filter in ["*", "event.dataset:(dns OR http)", "curl", "source.ip:192.0.2.0/24"] {
            let fast = run(&format!("{filter} | count by {field} | top 1000")).table.unwrap();
            let plain = run(&format!("{filter} | count, first by {field} | top 1000")).table.unwrap();
            let plain: Vec<_> = plain.rows.into_iter().map(|row| row[..2].to_vec()).collect();
            assert_eq!(fast.rows, plain, "{filter} by {field}");
        }
    }
    assert!(run("* | count by dns.resolved_ip").table.unwrap().rows.len() > 1, "there is something to compare");
}

#[test]
fn a_timeline_of_everything_is_the_same_from_minutes_and_from_events() {
    let (dir, search) = store_with(&wordy(900, 4), 100);
    let ask = |search: &Search, query: &str, range: Option<(&str, &str)>| {
        let (from, to) = range.map(|(from, to)| (from.to_owned(), to.to_owned())).unzip();
        let wanted = SearchRequest { from, to, ..request(query) };
        let answer = search.run(&wanted, START_NS).unwrap();
        let bars = answer.timeline.unwrap().bars;
        (answer.total, bars.into_iter().map(|bar| (bar.start, bar.count)).collect::<Vec<_>>())
    };
    for step in ["1m", "5m", "1h", "1d", "45s"] {
        // That there is a dataset is true of every event, and no minute knows it.
        let plain =
            ask(&search, &format!("event.dataset:* | timeline {step}"), Some(("2026-11-22", "2026-11-23T00:10:00Z")));
        let fast = ask(&search, &format!("* | timeline {step}"), Some(("2026-11-22", "2026-11-23T00:10:00Z")));
        assert_eq!(fast, plain, "{step}");
    }
    let whole = ask(&search, "* | timeline 1d", None);
    assert_eq!(whole.0, 900);
    // What is kept of old partitions may be missing or torn.
    let kept: Vec<_> = std::fs::read_dir(dir.path().join("live"))
        .unwrap()
        .flatten()
        .map(|day| day.path().join("minutes.bin"))
        .collect();
    for (number, path) in kept.iter().enumerate() {
        let content = if number % 2 == 0 { b"torn".to_vec() } else { vec![0; 4] };
        std::fs::write(path, content).unwrap();
    }
    let again = Search::new(Store::open(dir.path()).unwrap(), SearchSettings::default());
    assert_eq!(ask(&again, "* | timeline 1d", None), whole);
    assert_eq!(ask(&again, "* | timeline 1d", None), whole, "the second time from memory");
}

#[test]
fn minutes_of_a_day_that_is_over_are_kept_and_those_of_a_changed_one_are_not_believed() {
    let old = |number: u64| event_of("dc", number + 1, DAY_NS * 20_000 + i64::try_from(number).unwrap(), "dns", &[]);
    let events: Vec<Event> = (0..50).map(old).collect();
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let settings = IndexSettings { keep_days: 100_000, ..small() };
    let mut writer = Writer::live(store.clone(), &settings);
    let received_ns = DAY_NS * 20_000;
    writer.add(&events[..20], received_ns, Mark { segment: 1, offset: 1 }).unwrap();
    writer.commit().unwrap();
    let search = Search::new(store, SearchSettings::default());
    let total = || search.run(&request("* | timeline 1h"), 0).unwrap().total;
    assert_eq!(total(), 20);
    let path = dir.path().join("live/2024-10-04/minutes.bin");
    let kept = std::fs::read(&path).unwrap();
    writer.add(&events[20..], received_ns, Mark { segment: 1, offset: 2 }).unwrap();
    writer.commit().unwrap();
    assert_eq!(total(), 50);
    std::fs::write(&path, kept).unwrap();
    drop(writer);
    let again = Search::new(Store::open(dir.path()).unwrap(), SearchSettings::default());
    assert_eq!(again.run(&request("* | timeline 1h"), 0).unwrap().total, 50);
}

#[test]
fn further_pages_look_into_few_partitions_and_leave_nothing_out() {
    let (_dir, search) = store_with(&wordy(900, 9), 100);
    let all = search.run(&request("*"), START_NS).unwrap();
    let mut paged = Vec::new();
    let mut page = SearchRequest { limit: Some(70), ..request("*") };
    let mut looked_at = Vec::new();
    loop {
        let answer = search.page(&page, START_NS).unwrap();
        looked_at.push(answer.total);
        paged.extend(ids(&answer));
        page.cursor = answer.cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, ids(&all));
    // Partitions are looked into a few at a time, by as many threads as there are processors.
    let most = 100 * (1 + std::thread::available_parallelism().map_or(1, |n| n.get() as u64));
    assert!(looked_at.iter().all(|total| *total <= most.max(200)), "{looked_at:?}");
}
