{
  "targets": [
    {
      "target_name": "limiquantix",
      "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "sources": ["native/addon.cc", "native/base/napi_error.cc"],
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/base/detached_call_linux.cc",
            "native/base/detached_thread_linux.cc",
            "native/base/poll_set_linux.cc",
            "native/base/poller_linux.cc",
            "native/base/thread_pool_linux.cc",
            "native/base/wake.cc",
            "native/base/wake_set.cc",
            "native/files/cached_linux.cc",
            "native/files/exit_linux.cc",
            "native/files/job_linux.cc",
            "native/files/entries_linux.cc",
            "native/files/names_linux.cc",
            "native/files/pieces_linux.cc",
            "native/files/place_files_linux.cc",
            "native/files/read_files_linux.cc",
            "native/files/removal_linux.cc",
            "native/files/rename_linux.cc",
            "native/files/sync_linux.cc",
            "native/files/tree_removal_linux.cc",
            "native/freeze/freeze_linux.cc",
            "native/freeze/guard_linux.cc",
            "native/port/listener_linux.cc",
            "native/port/port_linux.cc",
            "native/process/cgroup_linux.cc",
            "native/process/child_linux.cc",
            "native/process/clone_linux.cc",
            "native/process/core_linux.cc",
            "native/process/exec_linux.cc",
            "native/process/limits_linux.cc",
            "native/process/process_linux.cc",
            "native/process/pty_linux.cc",
            "native/process/report_slab_linux.cc",
            "native/process/spawn_linux.cc",
            "native/process/spawn_options_linux.cc",
            "native/process/stdio_linux.cc",
            "native/process/users_linux.cc",
            "native/sampler/link_changes_linux.cc",
            "native/sampler/link_probe_linux.cc",
            "native/sampler/link_watch_linux.cc",
            "native/sampler/links_linux.cc",
            "native/sampler/mount_table_linux.cc",
            "native/sampler/mounts_linux.cc",
            "native/sampler/netlink_parse_linux.cc",
            "native/sampler/probe_board.cc",
            "native/sampler/proc_files_linux.cc",
            "native/sampler/proc_parse_linux.cc",
            "native/sampler/sample_js.cc",
            "native/sampler/sampler_core.cc",
            "native/sampler/sampler.cc",
            "native/sampler/statfs_probe_linux.cc",
            "native/service/notify_linux.cc",
            "native/system/clock_devices_linux.cc",
            "native/system/clock_linux.cc",
            "native/system/program_text_linux.cc"
          ],
          # A thread that a dead mount holds up may outlive the environment that started it; its code must stay.
          "ldflags": ["-Wl,-z,nodelete"]
        }]
      ]
    }
  ]
}
