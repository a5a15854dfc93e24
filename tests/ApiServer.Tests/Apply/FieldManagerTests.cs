using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Tests.Apply;

public sealed class FieldManagerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly StructuralSchema Thing = SchemaReader.ReadRoot(
        Parse("""
        {"type":"object","properties":{
          "spec":{"type":"object","properties":{
            "list":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string"},"j":{"type":"string","default":"d"},"v":{"type":"string"}},"required":["k"]},"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k","j"]},
            "set":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
            "plain":{"type":"array","items":{"type":"string"}},
            "amap":{"type":"object","additionalProperties":{"type":"string"},"x-kubernetes-map-type":"atomic"},
            "gmap":{"type":"object","additionalProperties":{"type":"string"}},
            "n":{"type":"integer"}}},
          "status":{"type":"object","properties":{"phase":{"type":"string"}}}}}
        """),
        BuiltinSchemas.ObjectMeta);

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static FieldManager Things(string subresource = "") => new(Thing, "g/v1", "Thing")
    {
        Subresource = subresource,
        ResetFields = FieldManager.ResetFor(subresource, hasStatus: true),
    };

    private static FieldManager Builtin(string apiVersion, string kind)
    {
        StructuralSchema schema = BuiltinSchemas.Find(apiVersion, kind)!;
        return new FieldManager(schema, apiVersion, kind) { Zero = TypedDecoder.Zero(schema), ResetFields = FieldManager.ResetFor("", hasStatus: true) };
    }

    private static JsonObject Config(string content) => Parse($$"""{"apiVersion":"g/v1","kind":"Thing","metadata":{"name":"t"},{{content}}}""");

    private static JsonObject Applied(FieldManager manager, JsonObject? live, string content, string who, bool force = false)
    {
        ApplyResult result = manager.Apply(live, Config(content), who, force, Now);
        Assert.Null(result.Error?.Message);
        return result.Object!;
    }

    private static string Managers(JsonObject @object) =>
        string.Join('\n', (@object["metadata"]!["managedFields"] as JsonArray ?? []).Select(static e => $"{e!["manager"]} {e["operation"]} {Json.Compact(e["fieldsV1"])}"));

    [Fact]
    public void Applying_records_leaves_list_items_and_sets()
    {
        JsonObject live = Applied(Things(), null, """ "spec":{"list":[{"k":"a","v":"1"}],"set":["x"],"plain":["q"],"amap":{"m":"1"},"gmap":{"m":"1"}} """, "alice");
        Assert.Equal("""alice Apply {"f:spec":{"f:amap":{},"f:gmap":{"f:m":{}},"f:list":{"k:{\"j\":\"d\",\"k\":\"a\"}":{".":{},"f:k":{},"f:v":{}}},"f:plain":{},"f:set":{"v:\"x\"":{}}}}""", Managers(live));
    }

    [Fact]
    public void Items_of_two_appliers_live_in_one_list_and_go_with_their_owner()
    {
        JsonObject live = Applied(Things(), null, """ "spec":{"list":[{"k":"a","v":"1"}],"set":["x"]} """, "alice");
        live = Applied(Things(), live, """ "spec":{"list":[{"k":"b"}],"set":["z"],"gmap":{"n":"2"}} """, "bob");
        Assert.Equal("""{"gmap":{"n":"2"},"list":[{"k":"a","v":"1"},{"k":"b"}],"set":["x","z"]}""", Json.Compact(live["spec"]));
        live = Applied(Things(), live, """ "spec":{"n":1} """, "bob");
        Assert.Equal("""{"list":[{"k":"a","v":"1"}],"n":1,"set":["x"]}""", Json.Compact(live["spec"]));
    }

    [Fact]
    public void Taking_a_field_of_another_applier_is_a_conflict_until_forced()
    {
        JsonObject live = Applied(Things(), null, """ "spec":{"amap":{"m":"1"},"plain":["q"],"n":1} """, "alice");
        ApplyResult refused = Things().Apply(live, Config(""" "spec":{"amap":{"z":"1"},"plain":["r"]} """), "bob", force: false, Now);
        Assert.Equal(409, refused.Error!.Code);
        Assert.Equal("Apply failed with 2 conflicts: conflicts with \"alice\":\n- .spec.amap\n- .spec.plain", refused.Error.Message);

        live = Applied(Things(), live, """ "spec":{"amap":{"z":"1"},"plain":["r"]} """, "bob", force: true);
        Assert.Equal("alice Apply {\"f:spec\":{\"f:n\":{}}}\nbob Apply {\"f:spec\":{\"f:amap\":{},\"f:plain\":{}}}", Managers(live));
    }

    [Fact]
    public void Status_belongs_to_the_status_subresource_only()
    {
        JsonObject live = Applied(Things(), null, """ "spec":{"n":1},"status":{"phase":"X"} """, "alice");
        Assert.Equal("alice Apply {\"f:spec\":{\"f:n\":{}}}", Managers(live));
        live = Applied(Things("status"), live, """ "spec":{"n":9},"status":{"phase":"Ready"} """, "ctl");
        Assert.Contains("ctl Apply {\"f:status\":{\"f:phase\":{}}}", Managers(live), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""" "spec":{"n":"x"} """, ".spec.n: expected numeric (int or float), got string")]
    [InlineData(""" "spec":{"n":1,"nope":2} """, ".spec.nope: field not declared in schema")]
    [InlineData(""" "spec":{"set":["x","x"]} """, ".spec.set: duplicate entries for key [=\"x\"]")]
    [InlineData(""" "spec":{"list":[{"k":"a"},{"k":"a"}]} """, ".spec.list: duplicate entries for key [j=\"d\",k=\"a\"]")]
    [InlineData(""" "spec":{"gmap":{"a":1}} """, ".spec.gmap.a: expected string, got &value.valueUnstructured{Value:1}")]
    public void A_configuration_that_does_not_fit_the_schema_is_refused(string content, string error)
    {
        ApplyResult result = Things().Apply(null, Config(content), "alice", force: false, Now);
        Assert.Equal("failed to create typed patch object (/t; g/v1, Kind=Thing): " + error, result.Error!.Message);
        Assert.Equal(500, result.Error.Code);
    }

    [Fact]
    public void An_update_takes_fields_silently_and_names_maps_too()
    {
        FieldManager maps = Builtin("v1", "ConfigMap");
        JsonObject live = maps.Apply(null, Parse("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","y":"1"}}"""), "alice", force: false, Now).Object!;
        live["metadata"]!["uid"] = "u";
        JsonObject changed = live.DeepClone().AsObject();
        changed["data"]!["y"] = "2";
        changed["metadata"]!["labels"] = new JsonObject { ["l"] = "1" };
        maps.Update(live, changed, "tool", Now);
        Assert.Equal("alice Apply {\"f:data\":{\"f:x\":{}}}\ntool Update {\"f:data\":{\"f:y\":{}},\"f:metadata\":{\"f:labels\":{\".\":{},\"f:l\":{}}}}", Managers(changed));

        ApplyError error = maps.Apply(changed, Parse("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"1","y":"3"}}"""), "alice", force: false, Now).Error!;
        Assert.Equal("Apply failed with 1 conflict: conflict with \"tool\" using v1: .data.y", error.Message);
    }

    [Fact]
    public void Created_structs_are_not_owned_but_their_fields_are()
    {
        FieldManager deployments = Builtin("apps/v1", "Deployment");
        JsonObject created = TypedDecoder.Decode(deployments.Schema, Parse("""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},
             "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"main","image":"i","ports":[{"containerPort":80,"protocol":"TCP"}]}]}}}}
            """)).Object;
        deployments.Update(null, created, "kubectl", Now);
        Assert.Equal("""kubectl Update {"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},"f:resources":{}}}}}}}""", Managers(created));
    }

    [Fact]
    public void An_object_that_nobody_tracks_stays_untracked_on_update_and_gets_a_first_owner_on_apply()
    {
        FieldManager maps = Builtin("v1", "ConfigMap");
        JsonObject live = Parse("""{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","uid":"u"},"data":{"x":"1"}}""");
        JsonObject changed = live.DeepClone().AsObject();
        changed["data"]!["x"] = "2";
        maps.Update(live, changed, "tool", Now);
        Assert.Equal("", Managers(changed));

        JsonObject applied = maps.Apply(changed, Parse("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"y":"1"}}"""), "alice", force: false, Now).Object!;
        Assert.Equal("alice Apply {\"f:data\":{\"f:y\":{}}}\nbefore-first-apply Update {\"f:data\":{\".\":{},\"f:x\":{}}}", Managers(applied));
    }

    [Fact]
    public void Only_ten_updaters_are_remembered_one_by_one()
    {
        FieldManager maps = Builtin("v1", "ConfigMap");
        JsonObject live = Parse("""{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"k":"v"}}""");
        maps.Update(null, live, "m0", Now);
        live["metadata"]!["uid"] = "u";
        for (int i = 1; i < 13; i++)
        {
            JsonObject changed = live.DeepClone().AsObject();
            changed["data"]!["k" + i] = "v";
            maps.Update(live, changed, "m" + i, Now.AddMinutes(i));
            live = changed;
        }

        string[] names = [.. live["metadata"]!["managedFields"]!.AsArray().Select(static e => e!["manager"]!.GetValue<string>())];
        Assert.Equal(10, names.Length);
        Assert.Contains("ancient-changes", names);
        Assert.Contains("m12", names);
    }
}
