//! Compiles patched sources of Luau.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

use serde_json::Value;

/// A source of Luau and its patches.
struct Source {
    path: &'static str,
    changes: &'static [Change],
}

struct Change {
    /// The number of times `old` occurs.
    count: usize,
    old: &'static str,
    new: &'static str,
}

const fn change(count: usize, old: &'static str, new: &'static str) -> Change {
    Change { count, old, new }
}

/// Declares this crate's Rust functions for C++.
const DECLARATIONS: &str = "
struct lua_State;
extern \"C\" unsigned int luau_keyed_hash(const char* data, size_t length);
extern \"C\" void luau_spend(lua_State* L, size_t bytes);
extern \"C\" bool luau_is_out_of_time(size_t bytes);

// Reports that bytes were read, which may raise an error. Reading a few takes less time than reporting them.
static inline void spend(lua_State* L, size_t bytes)
{
    if (bytes > 64)
        luau_spend(L, bytes);
}

// Reports only what a script reads itself. C functions call this code too. They may not expect an error here, and Luau
// consults its host at every call of a C function anyway.
#define SPEND_IN_SCRIPT(L, bytes) do { if (isLua((L)->ci)) spend(L, bytes); } while (0)
#define SPEND_PASSED_IN_SCRIPT(L) do { if (LUAU_UNLIKELY(luau_passed > MAX_PASSED) && isLua((L)->ci)) spendPassed(L); } while (0)

// Parsing a digit takes as long as reading this many bytes.
static const size_t DIGIT = 16;

// The number of table nodes passed in searches for keys since the last report. A script can choose keys that are all in
// one chain. Lookups cannot report themselves, because C functions do not expect an error there.
extern \"C\" unsigned int luau_passed;
static const unsigned int MAX_PASSED = 4096;

// Passing a node takes as long as reading this many bytes.
static const size_t NODE = 32;

static inline void spendPassed(lua_State* L)
{
    if (LUAU_UNLIKELY(luau_passed > MAX_PASSED))
    {
        size_t bytes = luau_passed * NODE;
        luau_passed = 0;
        luau_spend(L, bytes);
    }
}
";

const SOURCES: [Source; 12] = [
    Source {
        path: "Ast/src/Lexer.cpp",
        changes: &[change(
            1,
            "    // FNV1a
    uint32_t hash = 2166136261;

    for (size_t i = 0; i < e.length; ++i)
    {
        hash ^= uint8_t(e.value.value[i]);
        hash *= 16777619;
    }

    return hash;
",
            "    return luau_keyed_hash(e.value.value, e.length);\n",
        )],
    },
    Source {
        path: "Bytecode/src/BytecodeBuilder.cpp",
        changes: &[
            change(1, "return hashRange(v.data, v.length);", "return luau_keyed_hash(v.data, v.length);"),
            change(
                1,
                "BytecodeBuilder::ConstantKeyHash::operator()(const ConstantKey& key) const\n{\n",
                "BytecodeBuilder::ConstantKeyHash::operator()(const ConstantKey& key) const\n{
    // Not the struct itself, which has padding.
    const uint64_t parts[] = {uint64_t(key.type), key.value, key.extra1, key.extra2, key.extra3};
    return luau_keyed_hash(reinterpret_cast<const char*>(parts), sizeof(parts));\n",
            ),
            change(
                1,
                "BytecodeBuilder::TableShapeHash::operator()(const TableShape& v) const\n{\n",
                "BytecodeBuilder::TableShapeHash::operator()(const TableShape& v) const\n{
    const size_t size = v.length * sizeof(v.keys[0]);
    uint32_t both[] = {luau_keyed_hash(reinterpret_cast<const char*>(v.keys), size), 0};
    if (v.hasConstants)
        both[1] = luau_keyed_hash(reinterpret_cast<const char*>(v.constants), size);
    return luau_keyed_hash(reinterpret_cast<const char*>(both), sizeof(both));\n",
            ),
        ],
    },
    Source {
        path: "VM/src/laux.cpp",
        changes: &[
            // Strings as numbers, in lists of arguments.
            change(1, "double luaL_checknumber(lua_State* L, int narg)\n{\n", NUMBER_ARGUMENT),
            change(1, "    int d = lua_tointegerx(L, narg, &isnum);", "    spendDigits(L, narg);\n    int d = lua_tointegerx(L, narg, &isnum);"),
            change(
                1,
                "    unsigned d = lua_tounsignedx(L, narg, &isnum);",
                "    spendDigits(L, narg);\n    unsigned d = lua_tounsignedx(L, narg, &isnum);",
            ),
        ],
    },
    Source {
        path: "VM/src/lbuiltins.cpp",
        changes: &[
            change(
                1,
                "        else if (ttisstring(arg0) && luaO_str2d(svalue(arg0), &num))\n        {\n            setnvalue(res, num);",
                "        else if (ttisstring(arg0) && (spend(L, tsvalue(arg0)->len * DIGIT), luaO_str2d(svalue(arg0), &num)))
        {
            setnvalue(res, num);",
            ),
            change(
                1,
                "            TValue* array = t->array;\n            for (int i = 0; i < n; ++i)\n                setobj2s(L, res + i, array + i);",
                "            spend(L, size_t(n) * sizeof(TValue));
            TValue* array = t->array;
            for (int i = 0; i < n; ++i)
                setobj2s(L, res + i, array + i);",
            ),
            change(
                1,
                "            setsvalue(L, res, luaS_newlstr(L, getstr(ts) + (i - 1), j - i + 1));",
                "            spend(L, j - i + 1);
            setsvalue(L, res, luaS_newlstr(L, getstr(ts) + (i - 1), j - i + 1));",
            ),
        ],
    },
    Source {
        path: "VM/src/lobject.cpp",
        changes: &[
            change(1, "int luaO_str2d(const char* s, double* result)\n{\n", NUMERALS),
            change(
                1,
                "int luaO_str2l(const char* s, int64_t* result, int base)\n{\n",
                "int luaO_str2l(const char* s, int64_t* result, int base)\n{\n    if (isTooLong(s))\n        return 0;\n",
            ),
        ],
    },
    Source {
        path: "VM/src/lstring.cpp",
        changes: &[
            change(1, "unsigned int luaS_hash(", STRING_TABLE),
            change(1, "unsigned int h = p->hash;", "unsigned int h = placeOf(tb, p->hash, p->data, p->len);"),
            change(1, "    h = lmod(h, tb->size);", "    h = lmod(placeOf(tb, h, str, l), tb->size);"),
            change(
                2,
                "tb->nuse > cast_to(uint32_t, tb->size) && tb->size <= INT_MAX / 2",
                "(tb->nuse & COUNT) > cast_to(uint32_t, tb->size) && tb->size < MAX_BUCKETS",
            ),
            change(1, "    tb->hash = newhash;\n", "    tb->hash = newhash;\n    tb->nuse &= ~MIXED;\n"),
            change(
                1,
                "int bucket = lmod(h, tb->size);",
                "int bucket = lmod(placeOf(tb, h, ts->data, ts->len), tb->size);
    int length = 0;
    if (TString* el = findUnkeyed(L, tb, h, ts->data, ts->len))
        return el;",
            ),
            change(
                1,
                "    for (TString* el = tb->hash[bucket]; el != NULL; el = el->next)\n    {\n",
                "    for (TString* el = tb->hash[bucket]; el != NULL; el = el->next)\n    {
        if (isTooLong(tb, ++length))
        {
            useKey(tb);
            return luaS_buffinish(L, ts);
        }\n",
            ),
            change(
                1,
                "    for (TString* el = L->global->strt.hash[lmod(h, L->global->strt.size)]; el != NULL; el = el->next)\n    {\n",
                "    stringtable* tb = &L->global->strt;
    int length = 0;
    if (TString* el = findUnkeyed(L, tb, h, str, l))
        return el;
    for (TString* el = tb->hash[lmod(placeOf(tb, h, str, l), tb->size)]; el != NULL; el = el->next)\n    {
        if (isTooLong(tb, ++length))
        {
            useKey(tb);
            return luaS_newlstr(L, str, l);
        }\n",
            ),
            change(
                1,
                "&g->strt.hash[lmod(ts->hash, g->strt.size)]",
                "bucketOf(&g->strt, ts)",
            ),
            change(1, "        L->global->strt.nuse--;", "        forgetOne(&L->global->strt);"),
        ],
    },
    Source {
        path: "VM/src/lstrlib.cpp",
        changes: &[
            // `string.rep`, in parts.
            change(1, "        step <<= 1;\n", "        spend(L, step);\n        if (step < (1 << 20))\n            step <<= 1;\n"),
            change(
                2,
                "    for (size_t i = 0; i < l; i++)\n        *ptr++ = to",
                "    for (size_t i = 0; i < l; i % 65536 == 65535 ? spend(L, 65536 * 16) : void(), i++)\n        *ptr++ = to",
            ),
            change(
                1,
                "                luaL_addchar(&b, LUAL_PACKPADBYTE);\n            break;\n",
                "            {
                if (len % 65536 == 65535)
                    spend(L, 65536 * 16);
                luaL_addchar(&b, LUAL_PACKPADBYTE);
            }
            break;\n",
            ),
            change(
                1,
                "    while (l--)\n        *ptr++ = s[l];\n",
                "    while (l--)
    {
        if (l % 65536 == 65535)
            spend(L, 65536 * 16);
        *ptr++ = s[l];
    }\n",
            ),
            change(
                1,
                "            size_t formatItemSize = 0;\n",
                "            size_t formatItemSize = 0;\n            spend(L, 4096);\n",
            ),
            // `%q` in `string.format`, with a buffer of the right size: one that grows leaves garbage.
            change(
                1,
                "    luaL_prepbuffsize(b, l + 2);\n\n    luaL_addchar(b, '\"');\n",
                "    size_t size = l + 2;
    for (size_t i = 0; i < l; i++)
    {
        if (i % 65536 == 65535)
            spend(L, 65536 * 4);
        switch (s[i])
        {
        case '\"':
        case '\\\\':
        case '\\n':
        case '\\r':
            size++;
            break;
        case 0:
            size += 3;
        }
    }
    luaL_prepbuffsize(b, size);

    luaL_addchar(b, '\"');\n",
            ),
            change(
                1,
                "    while (l--)\n    {\n        switch (*s)\n",
                "    while (l--)\n    {\n        if (l % 65536 == 65535)\n            spend(L, 65536 * 16);\n        switch (*s)\n",
            ),
            // Sets, which the matcher skips at each step.
            change(1, "    case '[':\n    {\n", "    case '[':\n    {\n        const char* start = p;\n"),
            change(
                1,
                "        } while (*p != ']');\n",
                "        } while (*p != ']');\n        spend(ms->L, p - start);\n",
            ),
            change(
                1,
                "            return matchbracketclass(c, p, ep - 1);",
                "            spend(ms->L, ep - p);\n            return matchbracketclass(c, p, ep - 1);",
            ),
            // Loops over the text.
            change(1, "        int cont = 1;\n", "        int cont = 1;\n        const char* start = s;\n"),
            change(
                1,
                "                if (--cont == 0)\n                    return s + 1;\n",
                "                if (--cont == 0)
                {
                    spend(ms->L, s - start);
                    return s + 1;
                }\n",
            ),
            change(
                1,
                "                cont++;\n        }\n    }\n",
                "                cont++;\n        }\n        spend(ms->L, s - start);\n    }\n",
            ),
            change(
                1,
                "    while (singlematch(ms, s + i, p, ep))\n        i++;\n",
                "    while (singlematch(ms, s + i, p, ep))
    {
        i++;
        if (i % 256 == 0)
            spend(ms->L, 4096);
    }\n",
            ),
            change(
                1,
                "    if ((size_t)(ms->src_end - s) >= len && memcmp(",
                "    spend(ms->L, len);\n    if ((size_t)(ms->src_end - s) >= len && memcmp(",
            ),
        ],
    },
    Source {
        path: "VM/src/ltable.cpp",
        changes: &[
            change(
                1,
                "static void resize(lua_State* L, LuaTable* t, int nasize, int nhsize)\n{\n",
                "static void resize(lua_State* L, LuaTable* t, int nasize, int nhsize)
{
    // Removing and adding entries of a full table in turn resizes it each time. Moving an entry takes longer than
    // reading it.
    SPEND_IN_SCRIPT(L, (size_t(t->sizearray) + nasize) * sizeof(TValue) + (size_t(sizenode(t)) + nhsize) * sizeof(LuaNode) * 4);\n",
            ),
            change(
                1,
                "        // re-insert elements from vanishing array slice\n        for (int i = nasize;",
                "        moveToMainPositions(L, from);\n\n        // re-insert elements from vanishing array slice\n        for (int i = nasize;",
            ),
            change(
                1,
                "        // update table structure now that both allocations succeeded\n",
                "        Migration from = {t, oldarray, oldsizearray, oldnode, t->lastfree, t->lsizenode, t->nodemask8, NULL, 0};

        // update table structure now that both allocations succeeded\n",
            ),
            change(
                1,
                "            LuaNode* old = oldnode + i;\n            if (!ttisnil(gval(old)))\n",
                "            checkTime(L, from, i);
            LuaNode* old = oldnode + i;
            if (!ttisnil(gval(old)) && !hasMoved(from, i))\n",
            ),
            change(
                1,
                "        // free old array\n        if (nasize != oldsizearray)\n",
                "        if (from.moved != NULL)
            luaM_freearray(L, from.moved, from.movedsize, uint8_t, t->memcat);

        // free old array
        if (nasize != oldsizearray)\n",
            ),
            change(1, "static void resize(lua_State* L, LuaTable* t, int nasize, int nhsize)\n{\n", MIGRATION),
            change(6, "n += gnext(n);", "(n += gnext(n), luau_passed++);"),
            change(2, "othern += gnext(othern);", "(othern += gnext(othern), luau_passed++);"),
            change(
                1,
                "const TValue* luaH_get(LuaTable* t, const TValue* key)\n{\n",
                "const TValue* luaH_get(LuaTable* t, const TValue* key)\n{\n    lookSoonIfPassed();\n",
            ),
            change(
                1,
                "static int findindex(lua_State* L, LuaTable* t, StkId key)\n{\n",
                "unsigned int luau_passed = 0;

// C functions look up keys too. This makes the host look at the clock at the next call or loop.
static inline void lookSoonIfPassed()
{
    if (LUAU_UNLIKELY(luau_passed > 16 * MAX_PASSED))
    {
        luau_passed = 0;
        luau_spend(NULL, 0);
    }
}

static int findindex(lua_State* L, LuaTable* t, StkId key)
{
    lookSoonIfPassed();\n",
            ),
        ],
    },
    Source {
        path: "VM/src/ltablib.cpp",
        changes: &[
            change(
                1,
                "    while (lua_next(L, 1))\n    {\n        lua_pushvalue(L, 2);  // function\n",
                "    while (lua_next(L, 1))\n    {\n        spendPassed(L);\n        spend(L, 256);\n        lua_pushvalue(L, 2);  // function\n",
            ),
            // `table.insert`, `table.remove` and `table.move`, without the fast loops over arrays.
            change(
                2,
                "                lua_rawgeti(L, srct, f + i);\n",
                "                if (i % 4096 == 4095)\n                    spend(L, 4096 * 256);\n                lua_rawgeti(L, srct, f + i);\n",
            ),
            change(
                1,
                "        addfield(L, &b, i, t);\n        if (lsep",
                "        if (i % 64 == 63)\n            spend(L, 64 * (64 + lsep));\n        addfield(L, &b, i, t);\n        if (lsep",
            ),
            // `table.sort`: each level of the recursion passes all places of a long table.
            change(
                1,
                "                if (i >= u)\n",
                "                if (i % 65536 == 65535)\n                    spend(L, 65536 * 64);\n                if (i >= u)\n",
            ),
            change(
                1,
                "                if (j <= l)\n",
                "                if (j % 65536 == 65535)\n                    spend(L, 65536 * 64);\n                if (j <= l)\n",
            ),
            change(1, "        sort_swap(L, t, l, l + i);\n", "        spend(L, 1024);\n        sort_swap(L, t, l, l + i);\n"),
            change(
                1,
                "        sort_siftheap(L, t, l, u, pred, i);\n",
                "    {\n        spend(L, 1024);\n        sort_siftheap(L, t, l, u, pred, i);\n    }\n",
            ),
        ],
    },
    Source {
        path: "VM/src/lutf8lib.cpp",
        changes: &[change(
            1,
            "    while (posi <= posj)\n    {\n",
            "    while (posi <= posj)\n    {\n        if (n % 65536 == 65535)\n            spend(L, 65536 * 64);\n",
        )],
    },
    Source {
        path: "VM/src/lvmexecute.cpp",
        changes: &[
            change(
                1,
                "const TValue* res = luaH_getstr(h, tsvalue(kv));\n",
                "const TValue* res = luaH_getstr(h, tsvalue(kv));\n                        SPEND_PASSED();\n",
            ),
            change(
                1,
                "TValue* res = luaH_setstr(L, h, tsvalue(kv));\n",
                "TValue* res = luaH_setstr(L, h, tsvalue(kv));\n                        SPEND_PASSED();\n",
            ),
            // The fast forms of library functions are not calls.
            change(5, "nparams);\n\n                    if (n >= 0)", "nparams);\n                    SPEND_PASSED();\n\n                    if (n >= 0)"),
            change(
                1,
                "#define VM_PROTECT(x) \\\n",
                "#define SPEND_PASSED() \\
    { \\
        if (LUAU_UNLIKELY(luau_passed > MAX_PASSED)) \\
            VM_PROTECT(spendPassed(L)); \\
    }\n\n#define VM_PROTECT(x) \\\n",
            ),
            // Long strings are compared by functions of lvmutils.cpp, which may raise errors.
            change(
                4,
                "else if (ttisstring(ra) && ttisstring(rb))",
                "else if (ttisstring(ra) && ttisstring(rb) && tsvalue(ra)->len < 1024)",
            ),
            change(
                1,
                "                    VM_PROTECT(luaD_checkstack(L, n));\n                    VM_CASE_STKID ra = VM_REG(LUAU_INSN_A(insn)); // previous call may change the stack\n\n                    for",
                "                    VM_PROTECT(luaD_checkstack(L, n));
                    if (n > 64)
                    {
                        VM_PROTECT(spend(L, size_t(n) * sizeof(TValue)));
                    }
                    VM_CASE_STKID ra = VM_REG(LUAU_INSN_A(insn)); // previous call may change the stack\n\n                    for",
            ),
        ],
    },
    Source {
        path: "VM/src/lvmutils.cpp",
        changes: &[
            change(1, "int luaV_lessthan(", COMPARISON),
            change(1, "luaV_strcmp(tsvalue(l), tsvalue(r)) < 0", "compareStrings(L, tsvalue(l), tsvalue(r)) < 0"),
            change(1, "luaV_strcmp(tsvalue(l), tsvalue(r)) <= 0", "compareStrings(L, tsvalue(l), tsvalue(r)) <= 0"),
            change(
                1,
                "                ts = luaS_bufstart(L, tl);\n",
                "                SPEND_IN_SCRIPT(L, tl);\n                ts = luaS_bufstart(L, tl);\n",
            ),
            // Chains of metatables, and of nodes in a table.
            change(
                1,
                "            const TValue* res = luaH_get(h, key); // do a primitive get\n",
                "            const TValue* res = luaH_get(h, key); // do a primitive get
            luau_passed += loop == 0 ? 0 : 8;
            SPEND_PASSED_IN_SCRIPT(L);\n",
            ),
            change(
                1,
                "            const TValue* oldval = luaH_get(h, key);\n",
                "            const TValue* oldval = luaH_get(h, key);
            luau_passed += loop == 0 ? 0 : 8;
            SPEND_PASSED_IN_SCRIPT(L);\n",
            ),
            change(
                1,
                "const TValue* p1, const TValue* p2)\n{\n    ptrdiff_t result = savestack(L, res);\n",
                "const TValue* p1, const TValue* p2)\n{\n    SPEND_PASSED_IN_SCRIPT(L);\n    ptrdiff_t result = savestack(L, res);\n",
            ),
            change(
                1,
                "const TValue* p1, const TValue* p2, const TValue* p3)\n{\n",
                "const TValue* p1, const TValue* p2, const TValue* p3)\n{\n    SPEND_PASSED_IN_SCRIPT(L);\n",
            ),
            // Strings as numbers.
            change(1, "    TValue tempb, tempc;\n", "    TValue tempb, tempc;\n    spendDigits(L, rb);\n    spendDigits(L, rc);\n"),
            change(
                1,
                "LUAU_NOINLINE void luaV_prepareFORN(lua_State* L, StkId plimit, StkId pstep, StkId pinit)\n{\n",
                "LUAU_NOINLINE void luaV_prepareFORN(lua_State* L, StkId plimit, StkId pstep, StkId pinit)
{
    spendDigits(L, pinit);
    spendDigits(L, plimit);
    spendDigits(L, pstep);\n",
            ),
        ],
    },
];

/// Replaces the beginning of a function in laux.cpp, which it repeats.
const NUMBER_ARGUMENT: &str = "static void spendDigits(lua_State* L, int narg)
{
    if (lua_type(L, narg) == LUA_TSTRING)
        spend(L, size_t(lua_objlen(L, narg)) * DIGIT);
}

double luaL_checknumber(lua_State* L, int narg)
{
    spendDigits(L, narg);\n";

/// Replaces the beginning of a function in lobject.cpp, which it repeats.
const NUMERALS: &str = "
// No number needs more bytes, and a single call may read them all.
static const size_t MAX_NUMERAL = 1 << 20;

static bool isTooLong(const char* s)
{
    const void* end = memchr(s, 0, MAX_NUMERAL + 1);
    if (end == NULL)
        return true;
    const size_t length = static_cast<const char*>(end) - s;
    if (length > 1024)
        luau_spend(NULL, length);
    return false;
}

int luaO_str2d(const char* s, double* result)
{
    if (isTooLong(s))
        return 0;\n";

/// Inserted before the first comparison in lvmutils.cpp, whose beginning it repeats.
const COMPARISON: &str = "static void spendDigits(lua_State* L, const TValue* value)
{
    if (ttisstring(value))
        SPEND_IN_SCRIPT(L, tsvalue(value)->len * DIGIT);
}

static int compareStrings(lua_State* L, const TString* l, const TString* r)
{
    spend(L, l->len < r->len ? l->len : r->len);
    return luaV_strcmp(l, r);
}

int luaV_lessthan(";

/// Inserted before the function in ltable.cpp whose beginning it repeats.
const MIGRATION: &str = "
// Moves the contents of a table to its new parts. In a large table that can be abandoned if the script has no time left.
struct Migration
{
    LuaTable* t;
    TValue* array;
    int sizearray;
    LuaNode* node;
    int lastfree;
    uint8_t lsizenode;
    uint8_t nodemask8;
    // A bit for each old node that has moved; null in a small table.
    uint8_t* moved;
    size_t movedsize;
};

// In a smaller table this takes no time, and the keys keep Luau's order.
static const int LARGE_TABLE = 4096;

static bool hasMoved(const Migration& from, int index)
{
    return from.moved != NULL && (from.moved[index / 8] >> (index % 8)) & 1;
}

// Makes the table as it was before the resize.
static void restore(lua_State* L, Migration& from)
{
    LuaTable* t = from.t;
    if (t->node != dummynode)
        luaM_freearray(L, t->node, sizenode(t), LuaNode, t->memcat);
    if (t->array != from.array)
        luaM_freearray(L, t->array, t->sizearray, TValue, t->memcat);
    if (from.moved != NULL)
        luaM_freearray(L, from.moved, from.movedsize, uint8_t, t->memcat);
    t->array = from.array;
    t->sizearray = from.sizearray;
    t->node = from.node;
    t->lastfree = from.lastfree;
    t->lsizenode = from.lsizenode;
    t->nodemask8 = from.nodemask8;
}

// Called for each old node. Raises an error if the script has no time left; C functions do not expect that.
static void checkTime(lua_State* L, Migration& from, int index)
{
    if (from.moved != NULL && index % LARGE_TABLE == 0 && isLua(L->ci) && luau_is_out_of_time(LARGE_TABLE * sizeof(LuaNode) * 2))
    {
        restore(L, from);
        luau_spend(L, size_t(1) << 30);
        luaG_runerror(L, \"timed out\");
    }
}

// Moves keys whose main positions in a new table are free. The others then collide with a key of their own chain.
// Otherwise each could find a key from another chain and would walk along that chain to move it, for as long as a
// script likes.
static void moveToMainPositions(lua_State* L, Migration& from)
{
    LuaTable* t = from.t;
    if (sizenode(t) < LARGE_TABLE)
        return;
    int oldsize = twoto(from.lsizenode);
    from.movedsize = oldsize / 8 + 1;
    from.moved = luaM_trynewarray(L, from.movedsize, uint8_t, t->memcat);
    if (from.moved == NULL)
    {
        restore(L, from);
        luaD_throw(L, LUA_ERRMEM);
    }
    memset(from.moved, 0, from.movedsize);
    for (int i = oldsize - 1; i >= 0; i--)
    {
        checkTime(L, from, i);
        LuaNode* old = from.node + i;
        if (ttisnil(gval(old)))
            continue;
        TValue key;
        getnodekey(L, &key, old);
        int index = ttisnumber(&key) ? arrayindex(nvalue(&key)) : -1;
        if (0 < index && index <= t->sizearray)
            continue;
        LuaNode* place = mainposition(t, &key);
        if (!ttisnil(gval(place)))
            continue;
        setnodekey(L, place, &key);
        luaC_barriert(L, t, &key);
        setobjt2t(L, gval(place), gval(old));
        from.moved[i / 8] |= 1 << (i % 8);
    }
}

static void resize(lua_State* L, LuaTable* t, int nasize, int nhsize)
{
";

/// Inserted before the first function of lstring.cpp, whose beginning it repeats.
const STRING_TABLE: &str = "
// Set in `nuse` of a table whose new strings use the keyed hash. Luau never shrinks a table that looks this full.
static const uint32_t KEYED = 1u << 31;
// Set in addition until the next resize, while older strings are still in the buckets of their own hashes.
static const uint32_t MIXED = 1u << 30;
// The part of `nuse` that is the number of strings.
static const uint32_t COUNT = MIXED - 1;

// With random hashes a bucket has one or two strings, and never a hundred.
static const int MAX_CHAIN = 100;

// A resize is a single step, so the table stops growing where a step would take too long. Buckets become longer instead.
static const int MAX_BUCKETS = 1 << 21;

static bool isTooLong(const stringtable* tb, int length)
{
    return LUAU_UNLIKELY(length > MAX_CHAIN) && !(tb->nuse & KEYED);
}

static unsigned int placeOf(const stringtable* tb, unsigned int hash, const char* data, size_t length)
{
    return LUAU_UNLIKELY(tb->nuse & KEYED) ? luau_keyed_hash(data, length) : hash;
}

// From now on, strings with the same hash no longer share a bucket. Strings in the table stay where they are: moving all
// of them at once could take long.
static void useKey(stringtable* tb)
{
    tb->nuse |= KEYED | MIXED;
}

// Returns a string that was there before the key, if it is the wanted one.
static TString* findUnkeyed(lua_State* L, const stringtable* tb, unsigned int hash, const char* data, size_t length)
{
    if (LUAU_LIKELY(!(tb->nuse & MIXED)))
        return NULL;
    for (TString* el = tb->hash[lmod(hash, tb->size)]; el != NULL; el = el->next)
    {
        if (el->len == length && memcmp(el->data, data, length) == 0)
        {
            // It may be dead.
            if (isdead(L->global, obj2gco(el)))
                changewhite(obj2gco(el));
            return el;
        }
    }
    return NULL;
}

static TString** bucketOf(stringtable* tb, const TString* ts)
{
    TString** bucket = &tb->hash[lmod(placeOf(tb, ts->hash, ts->data, ts->len), tb->size)];
    if (LUAU_LIKELY(!(tb->nuse & MIXED)))
        return bucket;
    for (TString* el = *bucket; el != NULL; el = el->next)
    {
        if (el == ts)
            return bucket;
    }
    return &tb->hash[lmod(ts->hash, tb->size)];
}

static void forgetOne(stringtable* tb)
{
    tb->nuse--;
    // Luau expects zero at the end.
    if ((tb->nuse & COUNT) == 0)
        tb->nuse = 0;
}

unsigned int luaS_hash(";

/// A source of this crate.
const SYNTAX_ERRORS: &str = "src/syntax_errors.cpp";

/// The folders that the sources include headers from.
const INCLUDES: [&str; 5] = ["Common/include", "Ast/include", "Bytecode/include", "VM/include", "VM/src"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SYNTAX_ERRORS}");
    if let Err(message) = build() {
        println!("cargo::error={message}");
        exit(1);
    }
}

fn build() -> Result<(), String> {
    let luau = luau_folder()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?);
    let mut compiler = cc::Build::new();
    // The settings must match the build scripts of luau0-src and mlua-sys, because both halves share Luau's structs.
    compiler
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .cargo_metadata(false)
        .define("LUAI_MAXCSTACK", "1000000")
        .define("LUA_VECTOR_SIZE", "3")
        .define("LUA_API", "extern \"C\"")
        .flag_if_supported("-fno-math-errno")
        .includes(INCLUDES.map(|folder| luau.join(folder)));
    println!("cargo::rerun-if-env-changed=LUAU_CXXFLAGS");
    for flag in env::var("LUAU_CXXFLAGS").unwrap_or_default().split_whitespace() {
        compiler.flag(flag);
    }
    for source in &SOURCES {
        let text = changed(&luau, source)?;
        let name = Path::new(source.path).file_name().ok_or("a source has no name")?;
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        compiler.file(path);
    }
    compiler.file(SYNTAX_ERRORS);
    compiler.try_compile("luau-patches").map_err(|error| error.to_string())?;
    println!("cargo::rustc-link-search=native={}", out.display());
    // Linked as a whole, so that all symbols exist before the linker looks into mlua's archives.
    println!("cargo::rustc-link-lib=static:+whole-archive=luau-patches");
    Ok(())
}

/// Returns the folder of Luau's sources that mlua-sys compiles.
fn luau_folder() -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").ok_or("cargo did not set CARGO")?;
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline"])
        .output()
        .map_err(|error| format!("cannot run cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).replace('\n', " ")));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata names no packages")?;
    let luau = packages.iter().find(|package| package.get("name").is_some_and(|name| name == "luau0-src"));
    let manifest = luau.and_then(|luau| luau.get("manifest_path")).and_then(Value::as_str);
    let folder = manifest.and_then(|manifest| Path::new(manifest).parent()).ok_or("there is no package luau0-src")?;
    Ok(folder.join("luau"))
}

/// Returns the patched text of a source.
fn changed(luau: &Path, source: &Source) -> Result<String, String> {
    let path = luau.join(source.path);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut text = text.replace("\r\n", "\n");
    for change in source.changes {
        let count = text.matches(change.old).count();
        if count != change.count {
            let first = change.old.trim().lines().next().unwrap_or_default();
            return Err(format!(
                "{} of this version of Luau has `{first}` {count} times instead of {}: adapt crates/luau-patches/build.rs",
                source.path, change.count
            ));
        }
        text = text.replace(change.old, change.new);
    }
    // Inserted after Luau's own headers, which define `size_t`. Includes further down may be conditional.
    let end = text.rfind("\n#include \"").and_then(|start| text[start + 1..].find('\n').map(|end| start + end + 2));
    text.insert_str(end.ok_or_else(|| format!("{} includes nothing", source.path))?, DECLARATIONS);
    Ok(text)
}
