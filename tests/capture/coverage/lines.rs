// Prints with Rust's standard library.

use std::os::raw::c_int;

#[no_mangle]
pub extern "C" fn rust_print_line(thread: c_int, repetition: c_int) {
    println!("{}:{}", thread, repetition);
    eprintln!("{}:{}", thread, repetition);
}

/// On a thread that Rust starts.
#[no_mangle]
pub extern "C" fn rust_print_line_on_a_thread(thread: c_int, repetition: c_int) {
    let printing = std::thread::spawn(move || {
        println!("{}:{}", thread, repetition);
    });
    printing.join().unwrap();
}
