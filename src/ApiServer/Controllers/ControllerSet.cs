namespace OptiInfra.ApiServer.Controllers;

/// <summary>Which controllers run: the two that the server cannot do without, and those of a cluster's controller manager.</summary>
internal static class ControllerSet
{
    public static Task Start(ApiCore core, CancellationToken stopping)
    {
        DefinitionController definitions = new(core);
        definitions.ServeRestored();
        List<Controller> all = [definitions];
        if (core.Options.Controllers)
        {
            all.AddRange([new NamespaceController(core)]);
        }

        return Task.WhenAll(all.Select(controller => controller.RunAsync(stopping)));
    }
}
