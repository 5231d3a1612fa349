// The wasm tag of C++ exceptions. Its only parameter is the address of the exception. Clang only refers to it; the
// runtimes of Emscripten and WASI define it, and this target has neither.
__asm__(".globl __cpp_exception\n"
        ".tagtype __cpp_exception i32\n"
        "__cpp_exception:\n");
