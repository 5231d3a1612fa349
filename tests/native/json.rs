//! `json` preserves everything that JSON can represent, and reports what it cannot.

use luau_runtime::testing::World;

#[test]
fn values_survive_a_round_trip() {
    let log = World::logged(
        r#"for _, text in {
             "null", "true", "false", "0", "-1", "0.5", "1e+300", "9007199254740991", '""', '"gr\u{FC}\u{DF}e \u{1F389}"',
             "[]", "[1,2,3]", '{"a":1,"b":[{"c":null}]}', '"\\u0000\\n\\"\\\\"',
           } do
             local encoded = json.encode(json.decode(text))
             if encoded ~= text then log(text, encoded) end
           end"#,
    );
    assert_eq!(log, [""; 0]);
}

#[test]
fn null_can_be_stored_in_tables_and_is_a_single_value() {
    assert_eq!(
        World::logged(
            "local t = json.decode('[1,null,3]') log(#t, t[2] == json.null, json.encode({ json.null }), json.encode(nil))"
        ),
        ["3 true [null] null"]
    );
}

#[test]
fn keys_are_sorted() {
    assert_eq!(World::logged("local t = {} t.b = 1 t.a = 2 t.c = 3 log(json.encode(t))"), [r#"{"a":2,"b":1,"c":3}"#]);
}

#[test]
fn whole_numbers_have_no_fraction_and_others_are_exact() {
    assert_eq!(
        World::logged("log(json.encode({ 1, -0.1, 1e15, 2^53, 1e21, 0.1 + 0.2 }))"),
        ["[1,-0.1,1000000000000000,9007199254740992,1e+21,0.30000000000000004]"]
    );
}

#[test]
fn numbers_are_written_as_javascript_does() {
    // Each expected text is the result of `JSON.stringify`.
    for (number, expected) in [
        ("1.795901832e18", "1795901832000000000"),
        ("2^53 + 2", "9007199254740994"),
        ("-2^63", "-9223372036854776000"),
        ("123456789012345680000", "123456789012345680000"),
        ("1e20", "100000000000000000000"),
        ("999999999999999868928", "999999999999999900000"),
        ("1e21", "1e+21"),
        ("1.5e300", "1.5e+300"),
        ("-1.7976931348623157e308", "-1.7976931348623157e+308"),
        ("0.000001", "0.000001"),
        ("1.25e-6", "0.00000125"),
        ("1e-7", "1e-7"),
        ("-1.5e-10", "-1.5e-10"),
        ("5e-324", "5e-324"),
        ("123.456", "123.456"),
        ("-0", "0"),
        ("-0.5", "-0.5"),
    ] {
        assert_eq!(World::logged(&format!("log(json.encode({number}))")), [expected], "{number}");
    }
}

#[test]
fn an_empty_object_stays_an_object() {
    assert_eq!(
        World::logged(
            r#"log(json.encode(json.decode('{"a":{},"b":[],"c":[{}]}')))
               local decoded = json.decode('{"a":1}')
               decoded.a = nil
               log(json.encode(decoded), json.encode(table.clone(decoded)), json.encode(table.freeze(decoded)))
               log(json.encode({}), json.encode(json.object({})), json.encode(json.array(json.object({}))))
               local same = { x = 1 }
               log(json.object(same) == same, json.encode(same), json.encode(json.array({ 1, 2 })))"#
        ),
        [r#"{"a":{},"b":[],"c":[{}]}"#, "{} {} {}", "[] {} []", r#"true {"x":1} [1,2]"#]
    );
}

#[test]
fn a_script_may_set_the_metatable_of_a_decoded_object() {
    assert_eq!(
        World::logged(
            r#"local Class = { get = function(self) return self.a end }
               local object = setmetatable(json.decode('{"a":5}'), { __index = Class })
               log(object:get(), json.encode(object))
               log(pcall(function() getmetatable(json.decode("{}")).__index = Class end))"#
        ),
        [r#"5 {"a":5}"#, "false script:4: attempt to modify a readonly table"]
    );
}

#[test]
fn values_nest_127_levels_deep_in_both_directions() {
    assert_eq!(
        World::logged(
            "for _, pair in { { '[', ']' }, { '{\"a\":', '}' } } do
               local text = string.rep(pair[1], 127) .. (if pair[1] == '[' then '' else '0') .. string.rep(pair[2], 127)
               log(json.encode(json.decode(text)) == text, (pcall(json.decode, '[' .. text .. ']')))
               log((pcall(json.encode, { json.decode(text) })))
             end"
        ),
        ["true false", "false", "true false", "false"]
    );
}

#[test]
fn a_decoded_number_is_the_double_nearest_to_its_text() {
    assert_eq!(
        World::logged(
            "log(json.decode('-1.9224632867491022e-130') == -1.9224632867491022e-130)
             log(json.decode('0.1000000000000000055511151231257827') == 0.1, json.decode('5e-324') == 5e-324)"
        ),
        ["true", "true true"]
    );
}

#[test]
fn what_json_cannot_represent_is_an_error_that_names_the_place() {
    let cases = [
        ("json.encode()", "missing argument #1 to 'encode' (any value expected)"),
        ("json.encode({ a = { print } })", "cannot encode: a function (at a[1])"),
        ("json.encode(0/0)", "cannot encode: NaN is not a valid JSON number"),
        ("json.encode({ x = -math.huge })", "cannot encode: -inf is not a valid JSON number (at x)"),
        ("json.encode('\\255')", "cannot encode: a string that is not UTF-8"),
        ("json.encode({ 1, a = 2 })", "cannot encode: a table with both strings and numbers as keys"),
        ("json.encode({ [3] = 1 })", "cannot encode: a table with a number outside 1 to n as a key"),
        ("json.encode({ 1, nil, 3 })", "cannot encode: an array with holes"),
        ("json.encode({ [true] = 1 })", "cannot encode: a table with a key of type boolean"),
        ("local t = {} t.me = { t } json.encode(t)", "cannot encode: a table contains itself (at me[1])"),
        ("json.encode(buffer.create(1))", "cannot encode: a buffer"),
        (
            "local t = {} for i = 1, 1000 do t = { t } end json.encode(t)",
            "cannot encode: tables nested more than 127 deep",
        ),
        ("json.encode(json.object({ 1 }))", "cannot encode: an object with a number as a key"),
        ("json.encode({ json.array({ a = 1 }) })", "cannot encode: an array with a string as a key (at [1])"),
        ("json.object()", "missing argument #1 to 'object' (table expected)"),
        ("json.array(5)", "invalid argument #1 to 'array' (table expected, got number)"),
        ("json.object(table.freeze({}))", "cannot mark a table that is frozen"),
        ("json.array(setmetatable({}, {}))", "cannot mark a table that has a metatable"),
        ("json.decode('\"\\\\ud800\"')", "cannot decode: unexpected end of hex escape at line 1 column 8"),
        ("json.decode('\"\\\\udc00x\"')", "cannot decode: lone leading surrogate in hex escape at line 1 column 7"),
        ("json.decode()", "missing argument #1 to 'decode' (string expected)"),
        ("json.decode('')", "cannot decode: EOF while parsing a value at line 1 column 0"),
        ("json.decode('[1,\\n2,,]')", "cannot decode: expected value at line 2 column 3"),
        ("json.decode('1 2')", "cannot decode: trailing characters at line 1 column 3"),
        ("json.decode(string.rep('[', 100000))", "cannot decode: recursion limit exceeded at line 1 column 128"),
    ];
    for (source, message) in cases {
        let world = World::new();
        world.run(source);
        let errors = world.errors();
        let expected = format!("script:1: {message}");
        assert!(errors.len() == 1 && errors[0].starts_with(&expected), "{source}: {errors:?}");
    }
}
