// The wasm tag under which C++ throws and catches: its one parameter is the address of the exception.
// Clang only refers to it; Emscripten's and WASI's runtimes define it, and this target has neither.
__asm__(".globl __cpp_exception\n"
        ".tagtype __cpp_exception i32\n"
        "__cpp_exception:\n");
