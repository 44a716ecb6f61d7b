{
  "targets": [
    {
      "target_name": "limiquantix",
      "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "sources": ["native/addon.cc", "native/base/napi_error.cc"],
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/port/port_linux.cc",
            "native/port/poller_linux.cc",
            "native/port/listener_linux.cc",
            "native/process/pty_linux.cc"
          ]
        }]
      ]
    }
  ]
}
