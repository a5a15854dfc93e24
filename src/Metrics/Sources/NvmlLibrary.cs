using System.Runtime.InteropServices;

namespace OptiInfra.Metrics.Sources;

/// <summary>
/// The NVIDIA management library, found at run time. Its functions return a status; anything but success means that the device
/// does not tell that value. https://docs.nvidia.com/deploy/nvml-api/
/// </summary>
internal sealed unsafe class NvmlLibrary : INvml
{
    private const int Success = 0;
    private const int TemperatureOfGpu = 0;

    private static readonly string[] Names = ["libnvidia-ml.so.1", "libnvidia-ml.so", "nvml.dll"];

    private readonly nint _library;
    private readonly nint[] _devices;
    private readonly delegate* unmanaged<nint, Utilization*, int> _utilization;
    private readonly delegate* unmanaged<nint, Memory*, int> _memory;
    private readonly delegate* unmanaged<nint, uint*, int> _power;
    private readonly delegate* unmanaged<nint, int, uint*, int> _temperature;
    private readonly delegate* unmanaged<int> _shutdown;

    private NvmlLibrary(nint library)
    {
        _library = library;
        _utilization = (delegate* unmanaged<nint, Utilization*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetUtilizationRates");
        _memory = (delegate* unmanaged<nint, Memory*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetMemoryInfo");
        _power = (delegate* unmanaged<nint, uint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetPowerUsage");
        _temperature = (delegate* unmanaged<nint, int, uint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetTemperature");
        _shutdown = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "nvmlShutdown");
        _devices = Devices(library);
    }

    public int DeviceCount => _devices.Length;

    /// <summary>Opens the library and its session, or returns null where either is not to be had.</summary>
    public static NvmlLibrary? TryOpen()
    {
        foreach (string name in Names)
        {
            if (NativeLibrary.TryLoad(name, out nint library))
            {
                if (NativeLibrary.TryGetExport(library, "nvmlInit_v2", out nint init) && ((delegate* unmanaged<int>)init)() == Success)
                {
                    return new NvmlLibrary(library);
                }

                NativeLibrary.Free(library);
            }
        }

        return null;
    }

    public GpuReading Read(int device)
    {
        nint handle = _devices[device];
        Utilization utilization;
        Memory memory;
        uint milliwatts;
        uint celsius;
        bool hasMemory = _memory(handle, &memory) == Success;
        return new GpuReading(
            _utilization(handle, &utilization) == Success ? utilization.Gpu / 100.0 : null,
            hasMemory ? memory.Used : null,
            hasMemory ? memory.Total : null,
            _power(handle, &milliwatts) == Success ? milliwatts / 1000.0 : null,
            _temperature(handle, TemperatureOfGpu, &celsius) == Success ? celsius : null);
    }

    public void Dispose()
    {
        _ = _shutdown();
        NativeLibrary.Free(_library);
    }

    private static nint[] Devices(nint library)
    {
        var count = (delegate* unmanaged<uint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetCount_v2");
        var open = (delegate* unmanaged<uint, nint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetHandleByIndex_v2");
        uint found;
        if (count(&found) != Success)
        {
            return [];
        }

        var devices = new List<nint>();
        for (uint index = 0; index < found; index++)
        {
            nint handle;
            if (open(index, &handle) == Success)
            {
                devices.Add(handle);
            }
        }

        return [.. devices];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Utilization
    {
        public uint Gpu;
        public uint Memory;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Memory
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }
}
