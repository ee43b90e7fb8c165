// The C interface from Rust, without a crate: rustc masks.rs -L BUILD -l tamis
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::ptr::{null, null_mut};

#[repr(C)]
#[derive(Clone, Copy)]
struct Matrix { format: *const c_char, layout: c_int, data: *const c_void, rows: usize, columns: usize, stride: usize }
#[repr(C)]
struct Threads { width: usize, run: Option<extern "C" fn(*mut c_void, usize, Task, *mut c_void)>, context: *mut c_void }
type Task = extern "C" fn(*mut c_void, usize);
#[repr(C)]
struct Counts { entries: [u64; 4], active: [u64; 4], bytes_read: u64, bytes_dense: u64 }
#[repr(C)]
struct Call {
    size: usize, kind: c_int, x: *const f32, y: *mut f32, tokens: usize, x_stride: usize, y_stride: usize,
    workspace: *mut c_void, workspace_bytes: usize, tokens_at_a_time: usize, threads: Threads, counts: *mut Counts,
    observer: Option<extern "C" fn(*mut c_void, *const c_void)>, observer_context: *mut c_void,
}
extern "C" {
    fn tamis_level() -> *const c_char;
    fn tamis_rule_new(text: *const c_char, numbers: *const f32, count: usize, made: *mut *mut c_void, error: *mut c_char) -> c_int;
    fn tamis_rule_free(rule: *mut c_void);
    fn tamis_rule_workspace(rule: *const c_void, kind: c_int, columns: usize, bytes: *mut usize, error: *mut c_char) -> c_int;
    fn tamis_rule_mask(rule: *const c_void, kind: c_int, values: *const c_void, rows: usize, columns: usize, row_stride: usize,
        step: usize, words: *mut u64, count: usize, workspace: *mut c_void, bytes: usize, active: *mut u64, error: *mut c_char) -> c_int;
    fn tamis_linear_new(w: *const Matrix, bias: *const f32, rule: *const c_char, numbers: *const f32, masks_only: c_int,
        made: *mut *mut c_void, error: *mut c_char) -> c_int;
    fn tamis_layer_free(layer: *mut c_void);
    fn tamis_layer_workspace(layer: *const c_void, tokens: usize, threads: usize, bytes: *mut usize, error: *mut c_char) -> c_int;
    fn tamis_layer_run(layer: *const c_void, call: *const Call, error: *mut c_char) -> c_int;
}

struct Send2(*mut c_void);
unsafe impl Sync for Send2 {}
/// Threads of Rust's own take the tasks.
extern "C" fn run(_: *mut c_void, count: usize, task: Task, argument: *mut c_void) {
    let shared = Send2(argument);
    std::thread::scope(|scope| {
        for i in 0..count {
            let of_all = &shared;
            scope.spawn(move || task(of_all.0, i));
        }
    });
}

fn main() {
    let mut error = [0 as c_char; 512];
    let text = |s: &str| CString::new(s).unwrap();
    unsafe {
        println!("tamis from Rust, {}", CStr::from_ptr(tamis_level()).to_str().unwrap());
        let mut rule = null_mut();
        let ok = |code: c_int, error: &[c_char; 512]| {
            assert!(code == 0, "{}", CStr::from_ptr(error.as_ptr()).to_string_lossy());
        };
        ok(tamis_rule_new(text("top_p=0.9").as_ptr(), null(), 0, &mut rule, error.as_mut_ptr()), &error);
        let x: [f32; 5] = [4.0, 1.0, 0.5, 0.3, 0.2]; // 5.5 of 6 is the first sum that reaches 0.9
        let (mut bytes, mut active, mut words) = (0usize, 0u64, [0u64; 1]);
        ok(tamis_rule_workspace(rule, 0, 5, &mut bytes, error.as_mut_ptr()), &error);
        let mut memory = vec![0u8; bytes];
        ok(tamis_rule_mask(rule, 0, x.as_ptr().cast(), 1, 5, 5, 1, words.as_mut_ptr(), 1, memory.as_mut_ptr().cast(), bytes,
            &mut active, error.as_mut_ptr()), &error);
        assert!(active == 3 && words[0] == 0b111);
        tamis_rule_free(rule);

        // y = W x with W by inputs; the mask at x keeps the same three
        const OUTPUTS: usize = 4096;
        let w: Vec<f32> = (0..5 * OUTPUTS).map(|i| (i % 7) as f32).collect();
        let format = text("f32");
        let matrix = Matrix { format: format.as_ptr(), layout: 1, data: w.as_ptr().cast(), rows: 5, columns: OUTPUTS, stride: 0 };
        let mut layer = null_mut();
        ok(tamis_linear_new(&matrix, null(), text("top_p=0.9").as_ptr(), null(), 0, &mut layer, error.as_mut_ptr()), &error);
        ok(tamis_layer_workspace(layer, 1, 2, &mut bytes, error.as_mut_ptr()), &error);
        let mut memory = vec![0u8; bytes];
        let mut y = vec![0f32; OUTPUTS];
        let mut counts = Counts { entries: [0; 4], active: [0; 4], bytes_read: 0, bytes_dense: 0 };
        let mut call = Call {
            size: std::mem::size_of::<Call>(), kind: 0, x: x.as_ptr(), y: y.as_mut_ptr(), tokens: 1, x_stride: 0, y_stride: 0,
            workspace: memory.as_mut_ptr().cast(), workspace_bytes: bytes, tokens_at_a_time: 0,
            threads: Threads { width: 2, run: Some(run), context: null_mut() }, counts: &mut counts, observer: None,
            observer_context: null_mut(),
        };
        ok(tamis_layer_run(layer, &call, error.as_mut_ptr()), &error);
        for (i, value) in y.iter().enumerate() {
            let sum = 4.0 * w[i] + w[OUTPUTS + i] + 0.5 * w[2 * OUTPUTS + i];
            assert!((sum - value).abs() < 1e-4, "{} is not {}", value, sum);
        }
        assert!(counts.bytes_read == 3 * OUTPUTS as u64 * 4 && counts.bytes_dense == 5 * OUTPUTS as u64 * 4);
        call.workspace_bytes = 1;
        assert!(tamis_layer_run(layer, &call, error.as_mut_ptr()) == 2);
        println!("{}", CStr::from_ptr(error.as_ptr()).to_str().unwrap());
        tamis_layer_free(layer);
    }
}
