import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { describeMachine } from "../../src/agent/platform/features-win32.ts";
import { describeWindows } from "../../src/agent/platform/windows-version.ts";
import { quoteArgument, serviceCommandLine, serviceName } from "../../src/agent/service/command-line.ts";
import { ServiceError } from "../../src/agent/service/service-error.ts";
import { type ServiceControl, ServiceManager } from "../../src/agent/service/service-manager.ts";
import type { ServiceSettings, ServiceStatus } from "../../src/native/service.ts";

const never = new AbortController().signal;

function windowsFailure(code: number): Error {
  return Object.assign(new Error(`UNKNOWN: Windows error ${code}, X`), { windowsError: code });
}

/** A manager of services that does as its documentation says. */
class FakeManager implements ServiceControl {
  settings: ServiceSettings | undefined;
  source: string | undefined;
  folder: string | undefined;
  state: ServiceStatus["state"] = "stopped";
  pid = 0;
  exitCode = 0;
  /** What a call does instead. */
  failures: Partial<Record<keyof ServiceControl, number>> = {};
  /** States that a start goes through, one a query. */
  path: ServiceStatus["state"][] = ["starting", "running"];
  #coming: ServiceStatus["state"][] = [];
  readonly alive = new Set<number>();

  installService(settings: ServiceSettings): { created: boolean; lacks: string[] } {
    this.#fail("installService");
    const created = this.settings === undefined;
    this.settings = settings;
    return { created, lacks: [] };
  }
  queryService(name: string): ServiceStatus {
    this.#fail("queryService");
    assert.equal(name, serviceName);
    if (!this.settings) throw windowsFailure(1060);
    this.state = this.#coming.shift() ?? this.state;
    if (this.state === "stopped") this.pid = 0;
    const { state, pid, exitCode } = this;
    return {
      ...{ state, pid, exitCode, ownExitCode: 7 },
      ...{ startType: "automatic", commandLine: this.settings.commandLine },
    };
  }
  startService(): void {
    this.#fail("startService");
    if (this.state === "running") throw windowsFailure(1056);
    this.#coming = [...this.path];
    this.pid = 41;
    this.alive.add(41);
  }
  stopService(): void {
    this.#fail("stopService");
    this.#coming = ["stopping", "stopped"];
    this.alive.delete(this.pid);
  }
  removeService(): void {
    this.#fail("removeService");
    this.settings = undefined;
  }
  setEventSource(name: string): void {
    this.source = name;
  }
  removeEventSource(): void {
    this.source = undefined;
  }
  protectFolder(path: string): void {
    this.#fail("protectFolder");
    this.folder = path;
  }
  #fail(call: keyof ServiceControl): void {
    const code = this.failures[call];
    if (code !== undefined) throw windowsFailure(code);
  }
}

function managerOf(fake: FakeManager): ServiceManager {
  return new ServiceManager(fake, { startMs: 500, stopMs: 500, removeMs: 500 }, (pid) => fake.alive.has(pid));
}

function installed(): { fake: FakeManager; manager: ServiceManager } {
  const fake = new FakeManager();
  const manager = managerOf(fake);
  manager.install('"x.exe" "--service"', "C:\\ProgramData\\LimiQuantix");
  return { fake, manager };
}

describe("the service of Windows", () => {
  it("is installed to come back when it fails, with a folder that nobody else can write to", () => {
    const { fake, manager } = installed();
    assert.deepEqual(fake.settings?.restartDelaysMs, [1000, 5000, 60_000]);
    assert.equal(fake.settings.failuresResetSeconds, 86_400);
    assert.equal(fake.folder, "C:\\ProgramData\\LimiQuantix");
    assert.equal(fake.source, serviceName);
    assert.equal(manager.install("other", "C:\\x").created, false);
  });

  it("is not installed over a folder that somebody else has made", () => {
    for (const code of [1307, 1920]) {
      const fake = new FakeManager();
      fake.failures.protectFolder = code;
      assert.throws(
        () => managerOf(fake).install("x", "C:\\y"),
        /C:\\y was made by somebody who is no admin/,
      );
      assert.equal(fake.settings, undefined);
    }
    const { fake, manager } = installed();
    fake.failures.protectFolder = 1307;
    assert.throws(() => manager.install("x", "C:\\y"), ServiceError);
    assert.notEqual(fake.settings, undefined); // it was there before
  });

  it("needs an administrator, and says so before anything else", () => {
    const fake = new FakeManager();
    fake.failures = { installService: 5, protectFolder: 1307 };
    assert.throws(() => managerOf(fake).install("x", "C:\\y"), /not installed: that needs an administrator/);
  });

  it("starts and stops, also when it has already", async () => {
    const { fake, manager } = installed();
    await manager.start(never);
    assert.equal(manager.status()?.state, "running");
    await manager.start(never);
    await manager.stop(never);
    assert.equal(fake.state, "stopped");
    await manager.stop(never);
    await manager.start(never);
    await manager.uninstall(never);
    assert.equal(manager.status(), undefined);
    assert.equal(fake.source, undefined);
  });

  it("is not uninstalled while its process lives on", async () => {
    const { fake, manager } = installed();
    await manager.start(never);
    fake.alive.delete = () => false;
    await assert.rejects(manager.uninstall(never), /process 41\) has not stopped after 0.5 s; end it/);
    assert.notEqual(fake.settings, undefined);
  });

  it("says why it does not start, and does not wait for ever", async () => {
    const { fake, manager } = installed();
    fake.path = ["starting", "stopped"];
    fake.exitCode = 1066;
    await assert.rejects(manager.start(never), /not started: it stopped at once \(exit code 7\)/);
    fake.path = ["starting"];
    await assert.rejects(manager.start(never), /still starts after 0.5 s/);
    const stop = AbortSignal.timeout(50);
    await assert.rejects(manager.start(stop), { name: "AbortError" });
  });

  it("explains what Windows refuses", async () => {
    const { fake, manager } = installed();
    fake.failures = { startService: 1058 };
    await assert.rejects(manager.start(never), /not started: it is disabled; .* \(Windows error 1058\)/);
    fake.failures = { startService: 5 };
    await assert.rejects(
      manager.start(never),
      (error) =>
        error instanceof ServiceError && error.windowsError === 5 && /administrator/.test(error.message),
    );
    fake.failures = { removeService: 1072 };
    await assert.rejects(manager.uninstall(never), /being removed; close Services/);
    fake.failures = { queryService: 1072 };
    assert.equal(manager.status(), undefined);
  });

  it("has a command line that is read as it was meant", () => {
    assert.equal(
      serviceCommandLine("C:\\Program Files\\a.exe", "C:\\b\\agent.cjs", ["--port", "auto"]),
      '"C:\\Program Files\\a.exe" "C:\\b\\agent.cjs" "--service" "--port" "auto"',
    );
    assert.equal(serviceCommandLine("C:\\a.exe", undefined, []), '"C:\\a.exe" "--service"');
    const text = fc.string({ unit: fc.constantFrom("\\", '"', " ", "a", "\t") });
    fc.assert(
      fc.property(text, (argument) => {
        assert.equal(readArgument(quoteArgument(argument)), argument);
      }),
    );
  });
});

/** One quoted argument, as the documentation of CommandLineToArgvW has it. */
function readArgument(line: string): string {
  let result = "";
  let at = 1;
  for (;;) {
    const [slashes = ""] = /^\\*/.exec(line.slice(at)) ?? [];
    at += slashes.length;
    if (line[at] !== '"') result += slashes + (line[at] ?? "");
    else if (slashes.length % 2 === 1) result += "\\".repeat((slashes.length - 1) / 2) + '"';
    else {
      assert.equal(at, line.length - 1, "the quotation ends where the argument does");
      return result + "\\".repeat(slashes.length / 2);
    }
    at++;
  }
}

describe("the name of Windows", () => {
  const of = (values: Record<string, string | number>) => describeWindows((name) => values[name]);

  it("is 11 from build 22000 on, though the registry says 10", () => {
    const { name, version, kernel } = of({
      ProductName: "Windows 10 Pro",
      DisplayVersion: "23H2",
      CurrentBuild: "22631",
      UBR: 2428,
      InstallationType: "Client",
    });
    assert.deepEqual([name, version], ["Windows 11 Pro", "23H2"]);
    assert.match(kernel, /\.2428$/);
    assert.equal(of({ ProductName: "Windows 10 Pro", CurrentBuild: "19045" }).name, "Windows 10 Pro");
  });

  it("is a server's own, and has a version on old systems", () => {
    const server = { ProductName: "Windows Server 2025 Standard", CurrentBuild: "26100" };
    assert.equal(of({ ...server, InstallationType: "Server" }).name, "Windows Server 2025 Standard");
    assert.equal(of({ ...server, ReleaseId: "1809" }).version, "1809");
    assert.equal(of(server).version, "26100");
  });
});

describe("the machine that Windows runs on", () => {
  it("is known by what its firmware says", () => {
    const of = (SystemManufacturer: string, SystemProductName: string): string | undefined =>
      describeMachine((name) => ({ SystemManufacturer, SystemProductName })[name], "22H2")["virtualization"];
    assert.equal(of("QEMU", "Standard PC (Q35 + ICH9, 2009)"), "QEMU");
    assert.equal(of("Red Hat", "KVM"), "KVM");
    assert.equal(of("Microsoft Corporation", "Virtual Machine"), "Hyper-V");
    assert.equal(of("Microsoft Corporation", "Surface Pro 9"), "");
    assert.equal(of("VMware, Inc.", "VMware20,1"), "VMware");
    assert.deepEqual(
      describeMachine(() => undefined, "22H2"),
      { virtual: "false", virtualization: "", os_release: "22H2", os_codename: "" },
    );
  });
});
