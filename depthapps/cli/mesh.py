"""Define `depthapps mesh`, which makes a model of a scene for 3D viewers and printers."""

from __future__ import annotations

from pathlib import Path

from depthapps.cli.groups import NOT_GIVEN
from depthapps.cli.mesh_options import ModelOptions, ScanOptions
from depthapps.cli.options import RunOptions, SourceOptions, unused_by_pictures
from depthapps.cli.pages import arguments_of, write_view
from depthapps.core.choices import PageMode, Preset
from depthapps.core.errors import InputError
from depthapps.io.formats import IMAGE_SUFFIXES
from depthapps.io.outputs import Outputs
from depthapps.runtime.budget import limit_memory
from depthapps.scan.params import FuseParams


def mesh(
    *,
    model: ModelOptions,
    scan: ScanOptions,
    source: SourceOptions = NOT_GIVEN,  # pyright: ignore[reportArgumentType]  (with_options takes it as a mark)
    run: RunOptions,
) -> None:
    """Make a textured mesh, a point cloud, a printable solid or a lithophane.

    GLB, USDZ, OBJ and STL have Y up and look along -Z, as viewers expect; PLY keeps the camera's axes
    (Y down, Z forward). Units are metres; a print's are millimetres.

    \b
    depthapps mesh left.png right.png -c calib.txt -o model.glb --viewer model.html
    depthapps mesh left.png right.png -c calib.txt -o model.glb -o for_iphone.usdz --preset web
    depthapps mesh left.png right.png -c calib.txt -o relief.stl --preset print --size-mm 120
    depthapps mesh photo.jpg -o plate.stl --preset lithophane --size-mm 150
    depthapps mesh photo.png --depth depth.npy --fov 60 --points -o cloud.ply
    depthapps mesh left.png right.png -c calib.txt --points -o sparse/points3D.txt
    depthapps mesh left.png right.png -c calib.txt --splats -o splats.spz -o splats.glb
    depthapps mesh left.png right.png -c calib.txt -o model.glb --turntable turn.mp4
    depthapps mesh spatial_photo.heic -o model.glb --viewer model.html
    depthapps mesh --sequence folder -o room.ply
    """
    paths = model.paths()
    scan.check(source, model, source.side_files)
    if scan.sequence:
        frames = [path for path in scan.sequence.rglob("*") if path.is_file()]
        outputs = Outputs(paths, overwrite=run.overwrite, inputs=[*source.inputs, *frames])
        _scan(scan, scan.sequence, model, source, run, outputs)
        return
    if model.preset is Preset.LITHOPHANE and not source.side_files.paths():
        _plate(model, source, run, paths)
        return
    from depthapps.cli.opening import Opening

    opening = Opening.of("mesh", source, run, paths)
    from depthapps.apps.maps import write_side_files
    from depthapps.apps.model import Model, make_model, make_print
    from depthapps.apps.placed import placed_photos
    from depthapps.io.models.colmap import write_colmap

    report, outputs = opening.report, opening.outputs
    opened = opening.scene(confidence=True)
    if model.print_it:
        made = make_print(opened.scene, model.print_params, progress=report.follow)
    else:  # a page shows the scene itself
        made = make_model(opened.scene, model.params, progress=report.follow) if model.wanted else None
    with report.stage("writing"), outputs:
        if made is not None:
            model.write(made, report, outputs)
        if page := model.viewer:
            first = {"command": arguments_of(source), "style": model.turn_style}
            write_view(page, opened, PageMode.TURN, report, outputs, **first)
        if isinstance(made, Model):
            for path in model.colmap:
                write_colmap(path, made.cloud, placed_photos(opened), outputs=outputs)
        write_side_files(opening.side, opened, outputs, progress=report.follow)
    report.say(made.summary if made else "the page shows the scene")
    report.finish(outputs.written)


def _plate(model: ModelOptions, source: SourceOptions, run: RunOptions, paths: list[Path]) -> None:
    """Make a lithophane of a photo, whose depth does not matter."""
    unused = unused_by_pictures(source)
    has_depth = any((source.right, source.depth, source.disparity, source.depth_network))
    if unused and not has_depth:
        raise InputError(
            f"a lithophane shows a photo, whatever its camera and depth: {', '.join(unused)} would change nothing",
            hint=f"leave {'it' if len(unused) == 1 else 'them'} out, or pass --preset print",
        )
    from depthapps.cli.opening import Opening

    opening = Opening.of("mesh", source, run, paths, picture_only=True)
    from depthapps.apps.model import make_print

    report, outputs = opening.report, opening.outputs
    if has_depth:
        report.note("a lithophane shows the photo alone: what tells its depth changes nothing")
    plate = make_print(opening.picture(), model.print_params, progress=report.follow)
    with report.stage("writing"), outputs:
        model.write(plate, report, outputs)
    report.say(plate.summary)
    report.finish(outputs.written)


def _scan(
    options: ScanOptions, folder: Path, model: ModelOptions, source: SourceOptions, run: RunOptions, outputs: Outputs
) -> None:
    """Fuse the views of a folder into one mesh, cloud or print."""
    voxels = FuseParams(None if options.voxel_mm is None else options.voxel_mm / 1000)
    from depthapps.cli.report import Report

    report = Report("mesh", run)
    from depthapps.cli.opening import within_memory

    limit_memory(run.max_memory)
    first = next((path for path in sorted(folder.rglob("*")) if path.suffix.lower() in IMAGE_SUFFIXES), None)
    if first is not None:
        matched = (folder / "left").is_dir()
        run, _ = within_memory("mesh", run, report, first, matched=matched, shrinkable=False)
    from depthapps.apps.model import Model
    from depthapps.apps.scan import model_of_scan, print_of_scan, scan_folder

    scanned = scan_folder(
        folder, voxels, source.params(run.quality), find_poses=options.find_poses, progress=report.follow
    )
    report.take(scanned)
    if model.print_it:
        made = print_of_scan(scanned, model.print_params, progress=report.follow)
    else:
        made = model_of_scan(scanned, model.params, progress=report.follow)
    with report.stage("writing"), outputs:
        model.write(made, report, outputs)
        if model.viewer and isinstance(made, Model):
            write_view(model.viewer, made, PageMode.TURN, report, outputs, title=folder.name, style=model.turn_style)
    report.say(made.summary)
    report.finish(outputs.written)
