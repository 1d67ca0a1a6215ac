// Imported first by what runs models: the native runtime, in this process and in the Python beside it, reports nothing.
process.env.ORT_DISABLE_TELEMETRY = '1';
