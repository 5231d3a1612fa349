//! Compiles the sources of Luau that are changed here.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

use serde_json::Value;

/// A source of Luau, and what is replaced in it.
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

// Reports that bytes were read, which may raise an error. Reading a few takes less time than reporting them.
static inline void spend(lua_State* L, size_t bytes)
{
    if (bytes > 64)
        luau_spend(L, bytes);
}

// Reports only what a script reads itself. C functions call this code too: they may not expect an error here, and Luau consults its
// host at every call of one anyway.
#define SPEND_IN_SCRIPT(L, bytes) do { if (isLua((L)->ci)) spend(L, bytes); } while (0)
#define SPEND_PASSED_IN_SCRIPT(L) do { if (LUAU_UNLIKELY(luau_passed > MAX_PASSED) && isLua((L)->ci)) spendPassed(L); } while (0)

// Parsing a digit takes as long as reading this many bytes.
static const size_t DIGIT = 16;

// The number of nodes of tables that were passed in the search for keys, since they were last reported. A script can choose keys so that
// all of them are in one chain. Lookups cannot report themselves: C functions do not expect an error there.
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

const SOURCES: [Source; 10] = [
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
            change(2, "tb->nuse > cast_to(uint32_t, tb->size)", "(tb->nuse & ~KEYED) > cast_to(uint32_t, tb->size)"),
            change(
                1,
                "int bucket = lmod(h, tb->size);",
                "int bucket = lmod(placeOf(tb, h, ts->data, ts->len), tb->size);\n    int length = 0;",
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
                "&g->strt.hash[lmod(placeOf(&g->strt, ts->hash, ts->data, ts->len), g->strt.size)]",
            ),
            change(1, "        L->global->strt.nuse--;", "        forgetOne(&L->global->strt);"),
        ],
    },
    Source {
        path: "VM/src/lstrlib.cpp",
        changes: &[
            // `string.rep`, in parts.
            change(1, "        step <<= 1;\n", "        spend(L, step);\n        if (step < (1 << 20))\n            step <<= 1;\n"),
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
    // A full table whose entries are removed and added in turn is resized each time. To move an entry takes longer than to read it.
    SPEND_IN_SCRIPT(L, (size_t(t->sizearray) + nasize) * sizeof(TValue) + (size_t(sizenode(t)) + nhsize) * sizeof(LuaNode) * 4);\n",
            ),
            change(
                1,
                "        // re-insert elements from vanishing array slice\n        for (int i = nasize;",
                "        moveToMainPositions(L, t, oldnode, oldsizenode);\n\n        // re-insert elements from vanishing array slice\n        for (int i = nasize;",
            ),
            change(1, "static void resize(lua_State* L, LuaTable* t, int nasize, int nhsize)\n{\n", MAIN_POSITIONS),
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

// C functions look up keys too: their host looks at the clock at the next call or loop.
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
        changes: &[change(
            1,
            "    while (lua_next(L, 1))\n    {\n        lua_pushvalue(L, 2);  // function\n",
            "    while (lua_next(L, 1))\n    {\n        spendPassed(L);\n        lua_pushvalue(L, 2);  // function\n",
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
            // Long strings are compared by the functions of lvmutils.cpp, which may raise errors.
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

/// Inserted into lobject.cpp in place of the head of the function, which it repeats.
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

/// Inserted before the first comparison in lvmutils.cpp, whose first words it repeats.
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

/// Inserted before the function of ltable.cpp whose head it repeats.
const MAIN_POSITIONS: &str = "
// Moves keys whose places in a new table are free. The others then find a key of their own chain in their place. Where they found one that is
// not in its place, each of them would walk along a chain to move that: one after the other, for as long as a script likes.
static void moveToMainPositions(lua_State* L, LuaTable* t, LuaNode* oldnode, int oldsize)
{
    // In a small table this takes no time, and keys keep the order that Luau gives them.
    if (sizenode(t) < 4096)
        return;
    for (int i = oldsize - 1; i >= 0; i--)
    {
        LuaNode* old = oldnode + i;
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
        setnilvalue(gval(old));
    }
}

static void resize(lua_State* L, LuaTable* t, int nasize, int nhsize)
{
";

/// Inserted before the first function of lstring.cpp, whose first words it repeats.
const STRING_TABLE: &str = "
// Set in `nuse` of a table that uses the keyed hash. Luau never shrinks a table that looks this full.
static const uint32_t KEYED = 1u << 31;

// With random hashes a place has one or two strings; a hundred never happen by chance.
static const int MAX_CHAIN = 100;

static bool isTooLong(const stringtable* tb, int length)
{
    return LUAU_UNLIKELY(length > MAX_CHAIN) && !(tb->nuse & KEYED);
}

static unsigned int placeOf(const stringtable* tb, unsigned int hash, const char* data, size_t length)
{
    return LUAU_UNLIKELY(tb->nuse & KEYED) ? luau_keyed_hash(data, length) : hash;
}

// Moves every string to its place by the keyed hash. Allocates nothing.
static void useKey(stringtable* tb)
{
    TString* all = NULL;
    for (int i = 0; i < tb->size; i++)
    {
        while (TString* ts = tb->hash[i])
        {
            tb->hash[i] = ts->next;
            ts->next = all;
            all = ts;
        }
    }
    tb->nuse |= KEYED;
    while (TString* ts = all)
    {
        all = ts->next;
        int place = lmod(placeOf(tb, ts->hash, ts->data, ts->len), tb->size);
        ts->next = tb->hash[place];
        tb->hash[place] = ts;
    }
}

static void forgetOne(stringtable* tb)
{
    tb->nuse--;
    // Luau expects zero at the end.
    if (tb->nuse == KEYED)
        tb->nuse = 0;
}

unsigned int luaS_hash(";

/// A source of this crate's own.
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
    // The same settings as in the build scripts of luau0-src and mlua-sys: both halves share Luau's structs.
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
    // Whole, so that all of these symbols are there before the linker looks into mlua's archives.
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

/// Returns the text of a source with its changes.
fn changed(luau: &Path, source: &Source) -> Result<String, String> {
    let path = luau.join(source.path);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut text = text.replace("\r\n", "\n");
    for change in source.changes {
        let count = text.matches(change.old).count();
        if count != change.count {
            let first = change.old.trim().lines().next().unwrap_or_default();
            return Err(format!(
                "{} of this version of Luau has `{first}` {count} times, and not {}: adapt crates/luau-patches/build.rs to it",
                source.path, change.count
            ));
        }
        text = text.replace(change.old, change.new);
    }
    // After Luau's own headers, which bring `size_t`. Others may be included only for some targets.
    let end = text.rfind("\n#include \"").and_then(|start| text[start + 1..].find('\n').map(|end| start + end + 2));
    text.insert_str(end.ok_or_else(|| format!("{} includes nothing", source.path))?, DECLARATIONS);
    Ok(text)
}
