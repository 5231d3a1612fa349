// What only C++ can show of the runtime. It stands in the archive with the rest, and the linker leaves it out of every
// module that does not call it: of all but the tests.

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

// Calls back, and returns the length of the message of what was thrown through the callback; 0 if nothing was.
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
