// What Rust's own capture takes for a line of 80 bytes: the one of its test harness,
// std::io::set_output_capture, which println! looks for on every call. Not for programs: the
// function is not stable (RUSTC_BOOTSTRAP=1 opens it). Each thread has a buffer of its own, which is
// emptied every 4096 lines, so that nothing is kept. Beside it, println! uncaptured.
//
//   capture --out=FILE [--min-time=SECONDS]     standard output: /dev/null
//
// FILE becomes JSON of the shape that Google Benchmark writes.
#![feature(internal_output_capture)]

use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

const TEXT: &str = "2026-01-31 12:34:56.789 worker 3: copied part 0001234 of 00056789 to the store.";
const LINES_PER_LOOK_AT_THE_CLOCK: u64 = 4096;

fn print_uncaptured() {
    for _ in 0..LINES_PER_LOOK_AT_THE_CLOCK {
        println!("{}", TEXT);
    }
}

fn print_captured(buffer: &Arc<Mutex<Vec<u8>>>) {
    print_uncaptured();
    buffer.lock().unwrap().clear();
}

/// Lines that this thread printed, from when to when.
fn run(captured: bool, min_time: Duration, start: &Barrier) -> (u64, Instant, Instant) {
    let buffer = Arc::new(Mutex::new(Vec::new()));
    if captured {
        std::io::set_output_capture(Some(buffer.clone()));
    }
    start.wait();
    let begin = Instant::now();
    let mut lines = 0;
    while begin.elapsed() < min_time {
        if captured {
            print_captured(&buffer);
        } else {
            print_uncaptured();
        }
        lines += LINES_PER_LOOK_AT_THE_CLOCK;
    }
    let end = Instant::now();
    std::io::set_output_capture(None);
    (lines, begin, end)
}

/// Lines a second, of all threads together.
fn measure(captured: bool, threads: usize, min_time: Duration) -> f64 {
    let start = Arc::new(Barrier::new(threads));
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let start = start.clone();
            std::thread::spawn(move || run(captured, min_time, &start))
        })
        .collect();
    let results: Vec<_> = workers.into_iter().map(|w| w.join().unwrap()).collect();
    let lines: u64 = results.iter().map(|r| r.0).sum();
    let begin = results.iter().map(|r| r.1).min().unwrap();
    let end = results.iter().map(|r| r.2).max().unwrap();
    lines as f64 / (end - begin).as_secs_f64()
}

fn option(name: &str) -> Option<String> {
    let prefix = format!("--{}=", name);
    std::env::args().find_map(|a| a.strip_prefix(&prefix).map(str::to_string))
}

fn main() {
    let out = option("out").expect("--out=FILE is missing");
    let seconds = option("min-time").map_or(0.2, |s| s.parse().expect("--min-time is a number of seconds"));
    let min_time = Duration::from_secs_f64(seconds);
    let mut rows = Vec::new();
    for (name, captured) in [("rust/captured", true), ("rust/uncaptured/devnull", false)] {
        for threads in [1, 2, 8] {
            let rate = measure(captured, threads, min_time);
            rows.push(format!(
                "{{\"name\": \"{}/real_time/threads:{}\", \"run_type\": \"iteration\", \"threads\": {}, \"lines_per_second\": {}}}",
                name, threads, threads, rate
            ));
        }
    }
    std::fs::write(&out, format!("{{\"benchmarks\": [\n{}\n]}}\n", rows.join(",\n"))).expect("cannot write the results");
}
