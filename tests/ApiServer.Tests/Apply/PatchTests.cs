using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Apply;
using OptiInfra.ApiServer.Builtin;
using OptiInfra.ApiServer.Schema;

namespace OptiInfra.ApiServer.Tests.Apply;

public sealed class PatchTests
{
    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    [Theory]
    [InlineData("""{"a":1,"b":{"c":2,"d":3}}""", """{"a":null,"b":{"c":9,"e":{"f":null,"g":1}}}""", """{"b":{"c":9,"d":3,"e":{"g":1}}}""")]
    [InlineData("""{"a":[1]}""", """{"a":{"x":1}}""", """{"a":{"x":1}}""")]
    public void Merge_patch(string target, string patch, string want) =>
        Assert.Equal(want, Json.Compact(MergePatch.Apply(Parse(target), JsonReader.Read(patch)).Object));

    [Theory]
    [InlineData("{", "error decoding patch: unexpected end of JSON input")]
    [InlineData("[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}")]
    public void Merge_patch_that_is_not_an_object(string patch, string message) =>
        Assert.Equal(new PatchError(400, message), MergePatch.Apply([], JsonReader.Read(patch)).Error);

    [Theory]
    [InlineData("""[{"op":"add","path":"/l/-","value":3},{"op":"add","path":"/l/0","value":0},{"op":"remove","path":"/l/-1"}]""", """{"a":1,"l":[0,1,2]}""")]
    [InlineData("""[{"op":"test","path":"/a","value":1},{"op":"move","from":"/a","path":"/b"},{"op":"copy","from":"/b","path":"/c"}]""", """{"b":1,"c":1,"l":[1,2]}""")]
    [InlineData("""[{"op":"replace","path":"/new~1name","value":1}]""", """{"a":1,"l":[1,2],"new/name":1}""")]
    public void Json_patch(string patch, string want) =>
        Assert.Equal(want, Json.Compact(JsonPatch.Apply(Parse("""{"a":1,"l":[1,2]}"""), JsonReader.Read(patch)).Object));

    [Theory]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""", 422)]
    [InlineData("""[{"op":"remove","path":"/zzz"}]""", 422)]
    [InlineData("""[{"op":"add","path":"/x/y","value":1}]""", 422)]
    [InlineData("""[{"op":"add","path":"/l/9","value":1}]""", 422)]
    [InlineData("""[{"op":"frobnicate","path":"/a"}]""", 422)]
    [InlineData("""[{"op":"add","value":1}]""", 422)]
    [InlineData("""[{"op":"add","path":"nonsense","value":1}]""", 422)]
    [InlineData("""{"op":"remove","path":"/a"}""", 400)]
    [InlineData("[{]", 400)]
    public void Json_patch_that_fails(string patch, int code) =>
        Assert.Equal(code, JsonPatch.Apply(Parse("""{"a":1,"l":[1,2]}"""), JsonReader.Read(patch)).Error!.Code);

    [Theory]
    [InlineData("""{"containers":[{"name":"main","image":"2"}]}""", """[{"image":"2","name":"main"},{"image":"1","name":"side"}]""")]
    [InlineData("""{"containers":[{"name":"extra","image":"x"}]}""", """[{"image":"x","name":"extra"},{"image":"1","name":"main"},{"image":"1","name":"side"}]""")]
    [InlineData("""{"containers":[{"name":"side","$patch":"delete"}]}""", """[{"image":"1","name":"main"}]""")]
    [InlineData("""{"containers":[{"$patch":"replace"},{"name":"only","image":"o"}]}""", """[{"image":"o","name":"only"}]""")]
    [InlineData("""{"$setElementOrder/containers":[{"name":"side"},{"name":"main"}],"containers":[{"name":"main","image":"3"}]}""", """[{"image":"1","name":"side"},{"image":"3","name":"main"}]""")]
    public void Strategic_patch_merges_lists_by_key(string podSpec, string want)
    {
        StructuralSchema schema = BuiltinSchemas.Find("v1", "Pod")!;
        JsonObject pod = Parse("""{"spec":{"containers":[{"name":"main","image":"1"},{"name":"side","image":"1"}]}}""");
        PatchResult result = StrategicMergePatch.Apply(pod, JsonReader.Read($$"""{"spec":{{podSpec}}}"""), schema);
        Assert.Equal(want, Json.Compact(result.Object!["spec"]!["containers"]));
    }

    [Theory]
    [InlineData("""{"data":{"$patch":"replace","only":"me"}}""", """{"data":{"only":"me"},"metadata":{"finalizers":["a","b"]}}""")]
    [InlineData("""{"data":{"$patch":"delete"}}""", """{"metadata":{"finalizers":["a","b"]}}""")]
    [InlineData("""{"metadata":{"finalizers":["c"]}}""", """{"data":{"x":"1"},"metadata":{"finalizers":["c","a","b"]}}""")]
    [InlineData("""{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}}""", """{"data":{"x":"1"},"metadata":{"finalizers":["b"]}}""")]
    public void Strategic_patch_directives(string patch, string want)
    {
        JsonObject map = Parse("""{"metadata":{"finalizers":["a","b"]},"data":{"x":"1"}}""");
        Assert.Equal(want, Json.Compact(StrategicMergePatch.Apply(map, JsonReader.Read(patch), BuiltinSchemas.Find("v1", "ConfigMap")!).Object));
    }

    [Theory]
    [InlineData("""{"image":"x"}""", "map: map[image:x] does not contain declared merge key: name")]
    [InlineData("""{"name":"only","$patch":"explode"}""", "unknown patch type: explode in map: map[$patch:explode name:only]")]
    public void Strategic_patch_refuses_what_it_cannot_place(string container, string message)
    {
        PatchResult result = StrategicMergePatch.Apply(
            Parse("""{"spec":{"containers":[{"name":"only"}]}}"""),
            JsonReader.Read($$$"""{"spec":{"containers":[{{{container}}}]}}"""),
            BuiltinSchemas.Find("v1", "Pod")!);
        Assert.Equal(new PatchError(500, message), result.Error);
    }
}
