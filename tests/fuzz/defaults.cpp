// How the sanitizers behave in a target, whoever starts it.

extern "C" {

// Coroutine frames move between stacks, which the fake ones of this check do not survive. A request for more memory than
// there is must fail as it does without sanitizers.
const char* __asan_default_options() { return "detect_stack_use_after_return=0:allocator_may_return_null=1"; }
const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }
}
