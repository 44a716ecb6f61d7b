declare const PACKAGE_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_TIME: string | undefined;

/** Set by the build from package.json and git; run from source there is no build to name. */
export const version = typeof PACKAGE_VERSION === "string" ? PACKAGE_VERSION : "0.0.0-source";
export const buildCommit = typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "";
export const buildTime = typeof BUILD_TIME === "string" ? BUILD_TIME : "";
