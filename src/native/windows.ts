// What only the addon for Windows has. Each promise has a thread of its own behind it, as the services that are asked may
// take their time; with 16 under way more get EAGAIN. Errors have Node's shape, and `windowsError`, the number that
// Windows gave. What changes the machine fails with ENOTSUP under Wine.

/** When the system was started, as 16 digits that no step of the clock changes. Throws. */
export type BootId = () => string;

/** Of a service by its name; false where there is none. */
export type IsServiceRunning = (name: string) => Promise<boolean>;

/** Takes the system down at once, programs with unsaved work included; a message of at most 512 characters is kept in its event log. */
export type ShutdownSystem = (options: { reboot: boolean; message: string }) => Promise<void>;

/** Shows a text, of at most 4,096 characters, to each user who is at work, for 1 to 3600 seconds; resolves to how many there are. */
export type TellSessions = (title: string, text: string, seconds: number) => Promise<number>;

/** Moves the clock at once by so many microseconds, from what it is at that moment. */
export type StepSystemTime = (byUs: number) => Promise<void>;

/** Lets the clock go faster by so many parts in a million, at most 1,000, until it is told otherwise; 0 leaves it to Windows. */
export type SetClockRate = (partsPerMillion: number) => Promise<void>;

/** What setClockRate, or another program, has set; 0 for nothing. */
export type ClockRate = () => number;

/** A user of this machine's own, with its name as Windows writes it and UF_ flags; undefined where there is none. */
export type FindLocalUser = (name: string) => Promise<{ name: string; flags: number } | undefined>;

/** Sets a password, of at most 256 characters; with `mustChange` it is one for a single logon. */
export type SetUserPassword = (name: string, password: string, mustChange: boolean) => Promise<void>;

/** What is set by somebody is static; the rest comes from DHCP, a router or Windows itself. */
export interface AdapterAddress {
  address: string;
  prefix: number;
  isStatic: boolean;
}

export interface AdapterRoute {
  /** "0.0.0.0" */
  network: string;
  prefix: number;
  /** "0.0.0.0" and "::" for what is reached without one. */
  nextHop: string;
  metric: number;
  isStatic: boolean;
}

export interface NetworkAdapter {
  /** What netsh takes as its name. */
  index: number;
  /** "{…}" */
  guid: string;
  /** "Ethernet 2" */
  name: string;
  /** "Red Hat VirtIO Ethernet Adapter" */
  title: string;
  /** "52:54:00:12:34:56" */
  mac: string;
  isUp: boolean;
  dhcp4: boolean;
  /** 0 where it does not speak IPv4. */
  mtu4: number;
  mtu6: number;
  /** Of IPv6. */
  routerDiscovery: boolean;
  addresses: AdapterAddress[];
  /** All, in the order in which they are asked. */
  nameServers: string[];
  /** Those that somebody has set, with commas or spaces between them. */
  staticNameServers4: string;
  staticNameServers6: string;
  routes: AdapterRoute[];
}

/** All network adapters but the loopback. */
export type NetworkAdapters = () => Promise<NetworkAdapter[]>;
