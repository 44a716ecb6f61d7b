import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** The agent and the host side share the wire format and nothing else. */
const boundary = (files, forbidden, why) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: [{ regex: forbidden, message: why }] }] },
});

export default defineConfig(
  { ignores: ["dist/", "build/", ".cache/", "src/wire/gen/", "prebuilds/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    files: ["test/**/*.ts"],
    // node:test's describe/it return promises that the runner itself awaits.
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            {
              from: "package",
              package: "node:test",
              name: ["describe", "it", "test", "before", "after", "beforeEach", "afterEach"],
            },
          ],
        },
      ],
    },
  },
  boundary(["src/agent/**/*.ts"], "(^|/)(host|cli)/", "agent code must not import the host side"),
  boundary(["src/host/**/*.ts"], "(^|/)(agent|native|cli)/", "host code must not import the guest side"),
  boundary(["src/wire/**/*.ts"], "(^|/)(agent|host|native|cli)/", "wire code knows neither side"),
);
