using System.Text.Json.Nodes;
using OptiInfra.ApiServer.Access;
using OptiInfra.ApiServer.Http;
using OptiInfra.ApiServer.Registry;
using OptiInfra.ApiServer.Storage;
using OptiInfra.ApiServer.Watch;

namespace OptiInfra.ApiServer.Verbs;

/// <summary>The verbs on resources: from a request that has been taken apart to the answer.</summary>
internal sealed class ResourceVerbs(ApiCore core)
{
    private readonly Responder responder = new(core);

    public Task HandleAsync(ApiRequest request)
    {
        Authorize(request);
        if (request.Subresource.Length > 0)
        {
            return new SubresourceVerbs(core, this).HandleAsync(request);
        }

        bool collection = request.Name.Length == 0;
        string verb = (request.Method, collection) switch
        {
            ("GET", true) => request.Query.Flag("watch") ? "watch" : "list",
            ("GET", false) => "get",
            ("POST", true) => "create",
            ("PUT", false) => "update",
            ("PATCH", false) => "patch",
            ("DELETE", false) => "delete",
            ("DELETE", true) => "deletecollection",
            _ => "",
        };
        bool everywhere = request.Info.Namespaced && request.Namespace.Length == 0;
        if (!request.Info.Verbs.Contains(verb) || everywhere && verb is not ("list" or "watch"))
        {
            throw ApiError.MethodNotAllowed();
        }

        return verb switch
        {
            "list" => responder.WriteListAsync(request, core.Reader.List(request.Info, request.Namespace, ListOptions.Parse(request.Query, request.Info))),
            "watch" => new WatchStream(core, request, ListOptions.Parse(request.Query, request.Info)).RunAsync(),
            "get" => responder.WriteStoredAsync(request, core.Reader.Get(request.Info, request.Namespace, request.Name, request.Query)),
            "create" => CreateAsync(request),
            "update" => UpdateAsync(request),
            "patch" => new PatchVerb(core, responder).HandleAsync(request),
            "delete" => DeleteAsync(request),
            _ => DeleteCollectionAsync(request),
        };
    }

    private void Authorize(ApiRequest request)
    {
        if (!core.Options.Authorization && !request.User.IsChecked)
        {
            return;
        }

        ResourceInfo info = request.Info;
        bool collection = request.Name.Length == 0;
        string verb = request.Method switch
        {
            "GET" => !collection ? "get" : request.Query.Flag("watch") ? "watch" : "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            _ => collection ? "deletecollection" : "delete",
        };
        AccessQuestion question = new(verb)
        {
            Group = info.Group,
            Resource = info.Plural,
            Subresource = request.Subresource,
            Namespace = request.Namespace,
            Name = request.Name,
        };
        if (!core.Rbac.Ask(request.User, question).Allowed)
        {
            string scope = info.Namespaced && request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope";
            string resource = request.Subresource.Length == 0 ? info.Plural : $"{info.Plural}/{request.Subresource}";
            throw ApiError.Forbidden(
                info, request.Name, $"User \"{request.User.Name}\" cannot {verb} resource \"{resource}\" in API group \"{info.Group}\" {scope}");
        }
    }

    public async Task UpdateAsync(ApiRequest request)
    {
        WriteOptions options = request.WriteOptions("UpdateOptions");
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        Body body = BodyReader.Decode(bytes, BodyReader.MediaType(request.Http.Request), request.Info);
        JsonObject wanted = Decoder.DecodeBody(request.Info, body, request.Served, options);
        CheckName(wanted.Ensure("metadata"), request.Name);
        Written written = await core.Writer.UpdateAsync(
            request.Info, request.Namespace, request.Name, _ => wanted.Clone(), options, request.Aborted).ConfigureAwait(false);
        await responder.WriteObjectAsync(request, written.Created ? 201 : 200, written.Object).ConfigureAwait(false);
    }

    public static void CheckName(JsonObject metadata, string name)
    {
        string given = metadata.Str("name") ?? "";
        if (given.Length == 0)
        {
            throw ApiError.BadRequest($"the name of the object ({name} based on URL) was undeterminable: name must be provided");
        }

        if (given != name)
        {
            throw ApiError.BadRequest($"the name of the object ({given}) does not match the name on the URL ({name})");
        }
    }

    private async Task CreateAsync(ApiRequest request)
    {
        WriteOptions options = request.WriteOptions("CreateOptions");
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        Body body = BodyReader.Decode(bytes, BodyReader.MediaType(request.Http.Request), request.Info);
        if (Access.ReviewKinds.Handles(request.Info))
        {
            JsonObject asked = Decoder.DecodeBody(request.Info, body, request.Served, options);
            JsonObject answer = Access.ReviewKinds.Answer(core, request, asked, options);
            await responder.WriteObjectAsync(request, 201, answer).ConfigureAwait(false);
            return;
        }

        JsonObject wanted = Decoder.DecodeBody(request.Info, body, request.Served, options);
        Written written = await core.Writer.CreateAsync(request.Info, request.Namespace, wanted, options, request.Aborted).ConfigureAwait(false);
        await responder.WriteObjectAsync(request, 201, written.Object, options.DryRun ? null : written.Stored).ConfigureAwait(false);
    }

    private async Task DeleteAsync(ApiRequest request)
    {
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        DeleteOptions options = DeleteOptions.Parse(request.Query, bytes, BodyReader.MediaType(request.Http.Request));
        WriteOptions write = WriteOptions.Internal("") with { User = request.User };
        Deleted deleted = await core.Deleter.DeleteAsync(request.Info, request.Namespace, request.Name, options, write, request.Aborted).ConfigureAwait(false);
        if (!deleted.Gone || request.Info.Rules.DeleteReturnsObject && !options.DryRun)
        {
            await responder.WriteObjectAsync(request, 200, deleted.Object).ConfigureAwait(false);
            return;
        }

        JsonObject details = new() { ["name"] = request.Name };
        if (request.Info.Group.Length > 0)
        {
            details["group"] = request.Info.Group;
        }

        details["kind"] = request.Info.Plural;
        details["uid"] = deleted.Object.Obj("metadata").Str("uid");
        await Responder.WriteJsonAsync(request.Http, 200, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        }).ConfigureAwait(false);
    }

    private async Task DeleteCollectionAsync(ApiRequest request)
    {
        ListOptions list = ListOptions.Parse(request.Query, request.Info);
        byte[] bytes = await BodyReader.ReadBytesAsync(request.Http.Request, request.Aborted).ConfigureAwait(false);
        DeleteOptions options = DeleteOptions.Parse(request.Query, bytes, BodyReader.MediaType(request.Http.Request));
        Page page = core.Reader.List(request.Info, request.Namespace, list);
        foreach (StoredObject obj in page.Objects)
        {
            (string ns, string name) = StoredObject.SplitKey(obj.Key);
            try
            {
                await core.Deleter.DeleteAsync(
                    request.Info, ns, name, options, WriteOptions.Internal("") with { User = request.User }, request.Aborted).ConfigureAwait(false);
            }
            catch (ApiError e) when (e.Code == 404)
            {
                // Somebody else was faster; it is gone all the same.
            }
        }

        await responder.WriteListAsync(request, page).ConfigureAwait(false);
    }
}
