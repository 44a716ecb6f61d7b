#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/files.ts describes what they export.
void RegisterCached(Napi::Env env, Napi::Object exports);      // readCached
void RegisterNames(Napi::Env env, Napi::Object exports);       // readNames
void RegisterEntries(Napi::Env env, Napi::Object exports);     // readEntries
void RegisterPieces(Napi::Env env, Napi::Object exports);      // readPiece, writePiece, seekData
void RegisterRemoval(Napi::Env env, Napi::Object exports);     // removeTree
void RegisterRename(Napi::Env env, Napi::Object exports);      // renameNoReplace
void RegisterExit(Napi::Env env, Napi::Object exports);        // exitWithin
void RegisterSync(Napi::Env env, Napi::Object exports);        // syncfs
void RegisterReadFiles(Napi::Env env, Napi::Object exports);   // readFiles
void RegisterPlaceFiles(Napi::Env env, Napi::Object exports);  // placeFiles, setModified

}  // namespace limiquantix
