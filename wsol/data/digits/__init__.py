"""digits: the generator whose images isolate one failure of a weakly-supervised localizer each."""
