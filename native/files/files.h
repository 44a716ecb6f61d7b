#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/files.ts describes what they export, src/native/files-win32.ts what those do for
/// Windows.
#ifdef _WIN32
void RegisterWalk(Napi::Env env, Napi::Object exports);   // openWalk
void RegisterFacts(Napi::Env env, Napi::Object exports);  // lookAt
void RegisterList(Napi::Env env, Napi::Object exports);   // readPart
void RegisterNames(Napi::Env env, Napi::Object exports);  // renameIn, linkIn, removeIn, symlinkIn
void RegisterAttributes(Napi::Env env,
                        Napi::Object exports);             // setAttributes, copySecurity, finalPath
void RegisterOwners(Napi::Env env, Napi::Object exports);  // accountName
void RegisterSync(Napi::Env env, Napi::Object exports);    // syncVolume, syncFolder
void RegisterExit(Napi::Env env, Napi::Object exports);    // exitWithin
#else
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
#endif

}  // namespace limiquantix
