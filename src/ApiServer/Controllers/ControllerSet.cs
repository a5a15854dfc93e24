namespace OptiInfra.ApiServer.Controllers;

/// <summary>Which controllers run: the one that the server cannot do without, and those of a cluster's controller manager.</summary>
internal static class ControllerSet
{
    public static Task Start(ApiCore core, CancellationToken stopping)
    {
        DefinitionController definitions = new(core);
        definitions.ServeRestored();
        List<Controller> all = [definitions];
        if (core.Options.Controllers)
        {
            all.AddRange(
            [
                new NamespaceController(core),
                new GarbageCollector(core),
                new NamespaceDefaults(core),
                new EndpointsController(core),
                new DeploymentController(core),
                new ReplicaSetController(core),
                new StatefulSetController(core),
                new PodSimulator(core),
            ]);
        }

        return Task.WhenAll(all.Select(controller => controller.RunAsync(stopping)));
    }
}
