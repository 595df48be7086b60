"""Adam in one pass: TensorFlow's fused kernel, where Keras' own makes some twenty passes over the weights."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("monet_lib")
class FusedAdam(keras.optimizers.Optimizer):
    """Adam (Kingma & Ba 2015) as `keras.optimizers.Adam` computes it, each weight updated by one operation.

    learning_rate: a float or a Keras schedule. For dense gradients, without amsgrad.
    """

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="fused_adam", **kwargs
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._moments = {}

    def build(self, variables):
        """Make the two moments of each variable, both zero."""
        if self.built:
            return
        super().build(variables)
        for variable in variables:
            moments = [self.add_variable_from_reference(variable, name) for name in ("momentum", "velocity")]
            # Under a strategy each device has its own copy of the three.
            copies = (
                tf.distribute.get_strategy().experimental_local_results(v.value) for v in (variable, *moments)
            )
            for copy, *its_moments in zip(*copies, strict=True):
                self._moments[copy.ref()] = its_moments

    def update_step(self, gradient, variable, learning_rate):
        """Update one device's copy of a variable and of its two moments in place."""
        momentum, velocity = self._moments[variable.ref()]
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        beta_1, beta_2 = (tf.cast(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )

    def get_config(self):
        """The arguments, for saving."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
