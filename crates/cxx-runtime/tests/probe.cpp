// C++ code that tests the runtime. It is part of the archive, and the linker omits it from every module that does not
// call it, which means all except the tests.

#include <stdexcept>
#include <string>

namespace {
int runs = 0;

struct Counted {
    Counted() { runs++; }
} counted;
} // namespace

extern "C" int probe_constructor_runs() { return runs; }

extern "C" void probe_throw(int number) { throw std::runtime_error("number " + std::to_string(number)); }

// Calls the callback and returns the length of the message of the exception that it throws; 0 if there is none.
extern "C" int probe_catch(void (*callback)(int), int number) {
    try {
        callback(number);
        return 0;
    } catch (const std::logic_error&) {
        return -1;
    } catch (const std::exception& error) {
        return static_cast<int>(std::string(error.what()).size());
    }
}
