// Reports all errors that the parser finds, with their places. The compiler reports only the line of the first one.

#include <algorithm>

#include "Luau/Parser.h"

using Report = void (*)(void* context, const unsigned int* place, const char* message, size_t length);

// The limit for messages. They quote the source, and tokens may be long.
static const size_t MAX_MESSAGE = 1024;

// `place` has the line and column of the first character, and those after the last one, from 0. Columns are in bytes.
extern "C" void luau_syntax_errors(const char* source, size_t size, void* context, Report report)
{
    Luau::Allocator allocator;
    Luau::AstNameTable names(allocator);
    const Luau::ParseResult result = Luau::Parser::parse(source, size, names, allocator);
    for (const Luau::ParseError& error : result.errors)
    {
        const Luau::Location& location = error.getLocation();
        const unsigned int place[] = {location.begin.line, location.begin.column, location.end.line, location.end.column};
        const std::string& message = error.getMessage();
        report(context, place, message.data(), std::min(message.size(), MAX_MESSAGE));
    }
}
