//! `json` keeps what JSON can say, and says where it cannot.

use crate::world::World;

#[test]
fn values_come_back_as_they_were() {
    let log = World::logged(
        r#"for _, text in {
             "null", "true", "false", "0", "-1", "0.5", "1e+300", "9007199254740991", '""', '"gr\u{FC}\u{DF}e \u{1F389}"',
             "[]", "[1,2,3]", '{"a":1,"b":[{"c":null}]}', '"\\u0000\\n\\"\\\\"',
           } do
             local again = json.encode(json.decode(text))
             if again ~= text then log(text, again) end
           end"#,
    );
    assert_eq!(log, [""; 0]);
}

#[test]
fn null_stands_in_tables_and_is_one_value() {
    assert_eq!(
        World::logged(
            "local t = json.decode('[1,null,3]') log(#t, t[2] == json.null, json.encode({ json.null }), json.encode(nil))"
        ),
        ["3 true [null] null"]
    );
}

#[test]
fn keys_come_in_order_whatever_order_they_were_set_in() {
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
fn a_number_is_the_one_that_is_nearest_to_its_text() {
    assert_eq!(
        World::logged(
            "log(json.decode('-1.9224632867491022e-130') == -1.9224632867491022e-130)
             log(json.decode('0.1000000000000000055511151231257827') == 0.1, json.decode('5e-324') == 5e-324)"
        ),
        ["true", "true true"]
    );
}

#[test]
fn what_json_cannot_say_is_an_error_that_names_the_place() {
    let cases = [
        ("json.encode()", "missing argument #1 to 'encode' (any value expected)"),
        ("json.encode({ a = { print } })", "cannot encode: a function (at a[1])"),
        ("json.encode(0/0)", "cannot encode: NaN is no number of JSON"),
        ("json.encode({ x = -math.huge })", "cannot encode: -inf is no number of JSON (at x)"),
        ("json.encode('\\255')", "cannot encode: a string that is not UTF-8"),
        ("json.encode({ 1, a = 2 })", "cannot encode: a table with both strings and numbers as keys"),
        ("json.encode({ [3] = 1 })", "cannot encode: a table with a number outside of 1 to n as a key"),
        ("json.encode({ 1, nil, 3 })", "cannot encode: an array with holes"),
        ("json.encode({ [true] = 1 })", "cannot encode: a table with boolean as a key"),
        ("local t = {} t.me = { t } json.encode(t)", "cannot encode: a table contains itself (at me[1])"),
        ("json.encode(buffer.create(1))", "cannot encode: a buffer"),
        ("local t = {} for i = 1, 1000 do t = { t } end json.encode(t)", "cannot encode: tables more than 127 deep"),
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
